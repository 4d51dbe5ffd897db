//! The line under the reader's eye stays where it is, whatever is put above or below it, or changes its size.
//!
//! The browser's own scroll anchoring is off: in a reversed column Chromium corrects what needs no correction, and
//! so moves the reader by the height of what was put above.

use std::cell::RefCell;
use std::rc::Rc;

use leptos::prelude::document;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Element, HtmlElement, ResizeObserver};

/// Keeps the place for as long as it lives.
pub struct Keeper {
    scroller: HtmlElement,
    scrolled: Closure<dyn FnMut()>,
    observer: ResizeObserver,
    _changed: Closure<dyn FnMut()>,
}

/// Notes the place whenever somebody scrolls, and puts it back whenever `content`, all that is in `scroller`, changes
/// its size: after layout and before anything is painted.
pub fn keep_place(scroller: HtmlElement, content: &Element) -> Option<Keeper> {
    let place = Rc::new(RefCell::new(None::<Place>));
    let scrolled = {
        let (scroller, place) = (scroller.clone(), Rc::clone(&place));
        Closure::new(move || {
            let mut place = place.borrow_mut();
            // Our own scrolling goes to whole pixels; to note the place again would let it drift.
            if !place.as_ref().is_some_and(|place| place.put_at(&scroller)) {
                *place = Place::of(&scroller);
            }
        })
    };
    let changed: Closure<dyn FnMut()> = {
        let scroller = scroller.clone();
        Closure::new(move || {
            let mut place = place.borrow_mut();
            if place.as_mut().is_none_or(|place| !place.restore(&scroller)) {
                *place = Place::of(&scroller);
            }
        })
    };
    let observer = ResizeObserver::new(changed.as_ref().unchecked_ref()).ok()?;
    observer.observe(content);
    let listener = scrolled.as_ref().unchecked_ref();
    scroller
        .add_event_listener_with_callback("scroll", listener)
        .ok()?;
    Some(Keeper {
        scroller,
        scrolled,
        observer,
        _changed: changed,
    })
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.observer.disconnect();
        let listener = self.scrolled.as_ref().unchecked_ref();
        // It was added, so it can be removed.
        let _ = self
            .scroller
            .remove_event_listener_with_callback("scroll", listener);
    }
}

/// A line on the screen, and how far its top is above the lower edge of what scrolls, in CSS pixels.
struct Place {
    line: Element,
    above: f64,
    /// Where we scrolled to for its sake.
    put_at: Option<i32>,
}

impl Place {
    /// The line in the middle of what is seen. None at the bottom: whoever is there follows what is new.
    fn of(scroller: &HtmlElement) -> Option<Self> {
        if scroller.scroll_top() == 0 {
            return None;
        }
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
