//! Scroll anchoring: the line that the reader is looking at keeps its position on screen when lines are added, removed
//! or resized.
//!
//! The browser's own scroll anchoring is off. In a reversed column Chromium corrects needlessly, which moves the reader
//! by the height of the lines added above.

use std::cell::RefCell;
use std::rc::Rc;

use leptos::prelude::document;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Element, Event, HtmlElement, MutationObserver, MutationObserverInit, ResizeObserver};

use super::BOTTOM_PX;

thread_local! {
    /// Notes the anchor of the one scroller on screen.
    static NOTE_ANCHOR: RefCell<Option<Rc<dyn Fn()>>> = const { RefCell::new(None) };
}

/// Called before the lines change: notes the anchor, in case the reader has scrolled and the `scroll` event has not
/// fired yet.
pub fn note_anchor() {
    let note_on_scroll = NOTE_ANCHOR.with_borrow(Clone::clone);
    if let Some(note_on_scroll) = note_on_scroll {
        note_on_scroll();
    }
}

/// Keeps the anchor until it is dropped.
pub struct AnchorKeeper {
    scroller: HtmlElement,
    scrolled: Closure<dyn FnMut()>,
    observer: ResizeObserver,
    entries: MutationObserver,
    _changed: Closure<dyn FnMut()>,
}

/// Notes the anchor whenever the reader scrolls, and restores it before the next paint whenever `content` (the whole
/// content of `scroller`) changes. `at_end` returns true if the newest message is at the bottom.
pub fn keep_anchor(
    scroller: HtmlElement,
    content: &Element,
    at_end: impl Fn() -> bool + 'static,
) -> Option<AnchorKeeper> {
    let note = Rc::new(move |scroller: &HtmlElement| {
        // A reader at the bottom follows new messages, so there is no anchor.
        let follows = scroller.scroll_top().abs() < BOTTOM_PX && at_end();
        if follows { None } else { ScrollAnchor::of(scroller) }
    });
    let anchor = Rc::new(RefCell::new(None::<ScrollAnchor>));
    let note_on_scroll: Rc<dyn Fn()> = {
        let (scroller, anchor, note) = (scroller.clone(), Rc::clone(&anchor), Rc::clone(&note));
        Rc::new(move || {
            let mut anchor = anchor.borrow_mut();
            // Our own scrolling rounds to whole pixels, so noting the anchor again would let it drift.
            if !anchor.as_ref().is_some_and(|anchor| anchor.put_at(&scroller)) {
                *anchor = note(&scroller);
            }
        })
    };
    NOTE_ANCHOR.set(Some(Rc::clone(&note_on_scroll)));
    let scrolled = Closure::new(move || note_on_scroll());
    let changed: Closure<dyn FnMut()> = {
        let scroller = scroller.clone();
        Closure::new(move || {
            let mut anchor = anchor.borrow_mut();
            if anchor.as_mut().is_none_or(|anchor| !anchor.restore(&scroller)) {
                *anchor = note(&scroller);
            }
            if anchor.is_none() {
                scroller.set_scroll_top(0);
            }
        })
    };
    // If as much is added at one end as is removed at the other, no size changes.
    let entries = MutationObserver::new(changed.as_ref().unchecked_ref()).ok()?;
    let log = content.query_selector("[role=log]").ok()??;
    let options = MutationObserverInit::new();
    options.set_child_list(true);
    entries.observe_with_options(&log, &options).ok()?;
    let observer = ResizeObserver::new(changed.as_ref().unchecked_ref()).ok()?;
    observer.observe(content);
    let listener = scrolled.as_ref().unchecked_ref();
    // In the capture phase, before every other listener: they may change the lines.
    scroller
        .add_event_listener_with_callback_and_bool("scroll", listener, true)
        .ok()?;
    Some(AnchorKeeper {
        scroller,
        scrolled,
        observer,
        entries,
        _changed: changed,
    })
}

impl Drop for AnchorKeeper {
    fn drop(&mut self) {
        NOTE_ANCHOR.set(None);
        self.observer.disconnect();
        self.entries.disconnect();
        let listener = self.scrolled.as_ref().unchecked_ref();
        // It was added, so removing it cannot fail.
        let _ = self
            .scroller
            .remove_event_listener_with_callback_and_bool("scroll", listener, true);
    }
}

/// Scrolls to the end and dispatches the `scroll` event at once, so that lines added next find the reader there.
pub fn scroll_to_end(scroller: &HtmlElement) {
    scroller.set_scroll_top(0);
    if let Ok(event) = Event::new("scroll") {
        // The event is not cancelable, so the result means nothing.
        let _ = scroller.dispatch_event(&event);
    }
}

/// A line on screen, and the distance from its top to the lower edge of the scroller, in CSS pixels.
struct ScrollAnchor {
    line: Element,
    above: f64,
    /// The scroll position that we last set to restore it.
    put_at: Option<i32>,
}

impl ScrollAnchor {
    /// The line in the middle of the visible part.
    fn of(scroller: &HtmlElement) -> Option<Self> {
        let seen = scroller.get_bounding_client_rect();
        let (x, y) = (seen.left() + seen.width() / 2.0, seen.top() + seen.height() / 2.0);
        let found = document().element_from_point(x as f32, y as f32)?;
        let line = found.closest("[role=log] > *").ok().flatten()?;
        let above = above(&line, scroller);
        Some(Self {
            line,
            above,
            put_at: None,
        })
    }

    fn put_at(&self, scroller: &HtmlElement) -> bool {
        self.put_at == Some(scroller.scroll_top())
    }

    /// Scrolls the line back to its position. Returns false if the line is gone.
    fn restore(&mut self, scroller: &HtmlElement) -> bool {
        let moved = (above(&self.line, scroller) - self.above).round() as i32;
        if moved != 0 && self.line.is_connected() {
            scroller.set_scroll_top(scroller.scroll_top() - moved);
            self.put_at = Some(scroller.scroll_top());
        }
        self.line.is_connected()
    }
}

fn above(line: &Element, scroller: &Element) -> f64 {
    scroller.get_bounding_client_rect().bottom() - line.get_bounding_client_rect().top()
}
