//! The browser's history, and the links that lead to pages of this site.

use leptos::ev;
use leptos::prelude::{document, window, window_event_listener};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlAnchorElement, MouseEvent};

use crate::client::navigation::Navigation;
use crate::route::{Address, Route};

/// What stands in the address bar.
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

/// Puts an address into the address bar, and shows the top of the page or what the address points at.
pub fn push(to: &str) {
    if let Ok(history) = window().history() {
        // For whoever comes back; a new entry has no place.
        let place = window().scroll_y().unwrap_or_default();
        let _ = history.replace_state(&JsValue::from_f64(place), "");
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

/// Scrolls to where the reader was when this entry of the history was left: the browser tried that before the page
/// was there.
pub fn restore_scroll() {
    let place = window().history().and_then(|history| history.state());
    if let Some(place) = place.ok().and_then(|place| place.as_f64()) {
        window().scroll_to_with_x_and_y(0.0, place);
    }
}

/// Tells where the reader goes, from now on.
pub fn follow(navigation: Navigation) {
    window_event_listener(ev::popstate, move |_| navigation.moved());
    window_event_listener(ev::click, move |event| {
        let Some(link) = followed(&event) else {
            return;
        };
        let to = address_of(link.pathname(), &link.search());
        let here = to == address();
        // What is no page of ours, and a place on this page, are the browser's business.
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

/// The link that a click follows, if it leads somewhere on this site, in this tab.
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
