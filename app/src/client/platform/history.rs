//! The browser's history, and links to pages of this site.

use leptos::ev;
use leptos::prelude::{document, window, window_event_listener};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlAnchorElement, MouseEvent};

use crate::client::navigation::Navigation;
use crate::route::{Address, Route};

/// The address bar's content.
pub fn address() -> Address {
    let location = window().location();
    address_of(
        location.pathname().unwrap_or_default(),
        &location.search().unwrap_or_default(),
    )
}

fn address_of(path: String, search: &str) -> Address {
    let query = search.strip_prefix('?').unwrap_or_default().to_owned();
    Address { path, query }
}

/// Adds an address to the history, and scrolls to its fragment or to the top of the page.
pub fn push(to: &str) {
    if let Ok(history) = window().history() {
        // The old entry remembers its scroll position; the new one has none.
        let scroll = window().scroll_y().unwrap_or_default();
        let _ = history.replace_state(&JsValue::from_f64(scroll), "");
        let _ = history.push_state_with_url(&JsValue::NULL, "", Some(to));
    }
    show_target();
}

fn show_target() {
    let fragment = window().location().hash().unwrap_or_default();
    let target = fragment.strip_prefix('#');
    match target.and_then(|id| document().get_element_by_id(id)) {
        Some(target) => target.scroll_into_view(),
        None => window().scroll_to_with_x_and_y(0.0, 0.0),
    }
}

/// Restores the scroll position of this history entry. The browser's own attempt came before the page was rendered.
pub fn restore_scroll() {
    let state = window().history().and_then(|history| history.state());
    if let Some(scroll) = state.ok().and_then(|state| state.as_f64()) {
        window().scroll_to_with_x_and_y(0.0, scroll);
    }
}

/// Follows clicks on links and steps through the history from now on.
pub fn follow(navigation: Navigation) {
    window_event_listener(ev::popstate, move |_| navigation.moved());
    window_event_listener(ev::click, move |event| {
        let Some(link) = followed(&event) else {
            return;
        };
        let to = address_of(link.pathname(), &link.search());
        let here = to == address();
        // The browser handles other sites' pages, files, and fragments of this page.
        if to.route() == Route::NotFound || here && !link.hash().is_empty() {
            return;
        }
        event.prevent_default();
        if here {
            show_target();
        } else {
            navigation.go(&link.href());
        }
    });
}

/// The link that a click follows, if it opens an address of this site in this tab.
fn followed(event: &MouseEvent) -> Option<HtmlAnchorElement> {
    let plain = event.button() == 0
        && !event.default_prevented()
        && !event.meta_key()
        && !event.alt_key()
        && !event.ctrl_key()
        && !event.shift_key();
    let element: Element = event.target()?.dyn_into().ok()?;
    let link: HtmlAnchorElement = element.closest("a[href]").ok()??.dyn_into().ok()?;
    let ours = link.target().is_empty()
        && !link.has_attribute("download")
        && !link.rel().split(' ').any(|word| word == "external")
        && window().location().origin().ok()? == link.origin();
    (plain && ours).then_some(link)
}
