//! Keyboard focus: it must not fall back to the top of the document when the focused element disappears, and Tab must
//! not walk through every message.

use leptos::prelude::{document, window};
use wasm_bindgen::JsCast;
use web_sys::{Element, FocusOptions, HtmlElement, KeyboardEvent};

use super::matches;

/// True if no element has the focus.
pub fn nothing_focused() -> bool {
    document()
        .active_element()
        .is_none_or(|element| element.tag_name() == "BODY")
}

/// Focuses the first of these that the page has, without scrolling to it.
pub fn focus(selectors: &[&str]) {
    let mut found = selectors
        .iter()
        .filter_map(|one| document().query_selector(one).ok()?);
    if let Some(element) = found.next() {
        focus_element(&element);
    }
}

fn focus_element(element: &Element) {
    let element: &HtmlElement = element.unchecked_ref();
    // Makes an element focusable that is not a control, but not reachable with Tab.
    if element.tab_index() < 0 {
        element.set_tab_index(-1);
    }
    let options = FocusOptions::new();
    options.set_prevent_scroll(true);
    let _ = element.focus_with_options(&options);
}

/// Focuses the composer, or `otherwise` if there is none. On touch devices it always focuses `otherwise`, so that the
/// on-screen keyboard does not open.
pub fn focus_composer(otherwise: &str) {
    if matches("(pointer: coarse)") {
        focus(&[otherwise]);
    } else {
        focus(&["#message", otherwise]);
    }
}

/// True if the reader came from a page of this site, for instance by a form.
pub fn came_from_here() -> bool {
    let origin = window().location().origin();
    origin.is_ok_and(|origin| document().referrer().starts_with(&format!("{origin}/")))
}

/// Moves the focus to the next or previous message with the arrow keys, and scrolls with Home and End. Tab stops at the log once, and at the links of
/// the focused message.
pub fn move_focus_in_log(event: &KeyboardEvent, scroller: &Element) {
    if event.alt_key() || event.ctrl_key() || event.meta_key() || event.shift_key() {
        return;
    }
    let down = match event.key().as_str() {
        "ArrowDown" => true,
        "ArrowUp" => false,
        // The browser's own scrolling is animated, and stops halfway when older messages come in meanwhile.
        "Home" => return jump(event, scroller, i32::MIN),
        "End" => return jump(event, scroller, 0),
        _ => return,
    };
    let from = document()
        .active_element()
        .and_then(|focused| message_of(&focused));
    let seen = scroller.get_bounding_client_rect();
    let to = match &from {
        Some(from) => {
            let message = from.get_bounding_client_rect();
            // A message that is partly off screen scrolls first.
            if (down && message.bottom() > seen.bottom() + 1.0) || (!down && message.top() < seen.top() - 1.0)
            {
                return;
            }
            neighbour(from, down)
        }
        None => lowest_seen(scroller),
    };
    if let Some(to) = to {
        event.prevent_default();
        let element: &HtmlElement = to.unchecked_ref();
        let _ = element.focus();
    }
}

/// Scrolls at once. The newest message is at 0, older ones below.
fn jump(event: &KeyboardEvent, scroller: &Element, top: i32) {
    event.prevent_default();
    scroller.set_scroll_top(top);
}

fn message_of(element: &Element) -> Option<Element> {
    element.closest("[role=log] > article").ok()?
}

fn neighbour(message: &Element, down: bool) -> Option<Element> {
    let mut next = message.clone();
    loop {
        next = if down {
            next.next_element_sibling()
        } else {
            next.previous_element_sibling()
        }?;
        if next.tag_name() == "ARTICLE" {
            return Some(next);
        }
    }
}

/// The last visible message.
fn lowest_seen(scroller: &Element) -> Option<Element> {
    let seen = scroller.get_bounding_client_rect();
    let last = scroller.query_selector("article:last-of-type").ok()??;
    let x = seen.left() + seen.width() / 2.0;
    let y = last.get_bounding_client_rect().bottom().min(seen.bottom()) - 4.0;
    let found = document().element_from_point(x as f32, y as f32);
    found.and_then(|found| message_of(&found)).or(Some(last))
}

/// Removes the log's links from the tab order, except those of the focused message.
pub fn one_tab_stop(log: &Element) {
    set_tab_index(log, "a:not([tabindex='-1'])", -1);
    let current = document()
        .active_element()
        .and_then(|focused| message_of(&focused));
    if let Some(current) = current {
        set_tab_index(&current, "a", 0);
    }
}

fn set_tab_index(within: &Element, selector: &str, index: i32) {
    let Ok(links) = within.query_selector_all(selector) else {
        return;
    };
    for link in (0..links.length()).filter_map(|n| links.get(n)) {
        link.unchecked_ref::<HtmlElement>().set_tab_index(index);
    }
}
