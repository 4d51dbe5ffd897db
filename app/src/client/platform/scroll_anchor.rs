//! The line under the reader's eye stays where it is, whatever is put above or below it, or changes its size.
//!
//! The browser's own scroll anchoring is off: in a reversed column Chromium corrects what needs no correction, and
//! so moves the reader by the height of what was put above.

use std::cell::RefCell;
use std::rc::Rc;

use leptos::prelude::document;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Element, Event, HtmlElement, MutationObserver, MutationObserverInit, ResizeObserver};

thread_local! {
    /// Notes the place of the one scroller that is on screen.
    static LOOK: RefCell<Option<Rc<dyn Fn()>>> = const { RefCell::new(None) };
}

/// The lines are about to change: notes the place, if somebody has scrolled and the event of it is still to come.
pub fn note_anchor() {
    let look = LOOK.with_borrow(Clone::clone);
    if let Some(look) = look {
        look();
    }
}

/// Keeps the place for as long as it lives.
pub struct AnchorKeeper {
    scroller: HtmlElement,
    scrolled: Closure<dyn FnMut()>,
    observer: ResizeObserver,
    entries: MutationObserver,
    _changed: Closure<dyn FnMut()>,
}

/// Notes the place whenever somebody scrolls, and puts it back whenever `content`, all that is in `scroller`, changes:
/// before anything is painted. `at_end`: whether what is at the bottom of it is the newest message.
pub fn keep_anchor(
    scroller: HtmlElement,
    content: &Element,
    at_end: impl Fn() -> bool + 'static,
) -> Option<AnchorKeeper> {
    let note = Rc::new(move |scroller: &HtmlElement| {
        // Whoever is at the bottom follows what is new.
        let follows = scroller.scroll_top() == 0 && at_end();
        if follows { None } else { ScrollAnchor::of(scroller) }
    });
    let place = Rc::new(RefCell::new(None::<ScrollAnchor>));
    let look: Rc<dyn Fn()> = {
        let (scroller, place, note) = (scroller.clone(), Rc::clone(&place), Rc::clone(&note));
        Rc::new(move || {
            let mut place = place.borrow_mut();
            // Our own scrolling goes to whole pixels; to note the place again would let it drift.
            if !place.as_ref().is_some_and(|place| place.put_at(&scroller)) {
                *place = note(&scroller);
            }
        })
    };
    LOOK.set(Some(Rc::clone(&look)));
    let scrolled = Closure::new(move || look());
    let changed: Closure<dyn FnMut()> = {
        let scroller = scroller.clone();
        Closure::new(move || {
            let mut place = place.borrow_mut();
            if place.as_mut().is_none_or(|place| !place.restore(&scroller)) {
                *place = note(&scroller);
            }
        })
    };
    // As much may come at one end as goes at the other: then nothing changes its size.
    let entries = MutationObserver::new(changed.as_ref().unchecked_ref()).ok()?;
    let log = content.query_selector("[role=log]").ok()??;
    let options = MutationObserverInit::new();
    options.set_child_list(true);
    entries.observe_with_options(&log, &options).ok()?;
    let observer = ResizeObserver::new(changed.as_ref().unchecked_ref()).ok()?;
    observer.observe(content);
    let listener = scrolled.as_ref().unchecked_ref();
    // Before every other listener: what they bring into the page must find the place noted.
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
        LOOK.set(None);
        self.observer.disconnect();
        self.entries.disconnect();
        let listener = self.scrolled.as_ref().unchecked_ref();
        // It was added, so it can be removed.
        let _ = self
            .scroller
            .remove_event_listener_with_callback_and_bool("scroll", listener, true);
    }
}

/// Scrolls to the end, and says so at once: whatever comes into the page next finds the reader there.
pub fn scroll_to_end(scroller: &HtmlElement) {
    scroller.set_scroll_top(0);
    if let Ok(event) = Event::new("scroll") {
        // Nobody can prevent it.
        let _ = scroller.dispatch_event(&event);
    }
}

/// A line on the screen, and how far its top is above the lower edge of what scrolls, in CSS pixels.
struct ScrollAnchor {
    line: Element,
    above: f64,
    /// Where we scrolled to for its sake.
    put_at: Option<i32>,
}

impl ScrollAnchor {
    /// The line in the middle of what is seen.
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

    /// Scrolls so that the line is there again, if it still exists.
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
