//! On the server there is a clock, and nothing else of a browser.

use std::time::{SystemTime, UNIX_EPOCH};

use protocol::Timestamp;

/// Now.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(since.as_millis() as u64)
}

/// The server shows UTC.
pub fn offset(_at: Timestamp) -> i32 {
    0
}

/// Never asked for outside a browser: ids in pages come with the page's data.
pub fn random() -> u128 {
    0
}

/// Nobody looks at a server.
pub fn visible() -> bool {
    false
}

/// Whether a media query holds.
pub fn matches(_query: &str) -> bool {
    false
}

/// The theme that the page was rendered with.
pub fn page_theme() -> Option<String> {
    None
}

/// Changes the page's theme.
pub fn set_page_theme(_theme: &str) {}

/// Sends a form without leaving the page.
pub fn post(_url: &str, _form: &str) {}

/// Loads the page again.
pub fn reload() {}

/// Whether the style sheet engine knows something.
pub fn css_supports(_condition: &str) -> bool {
    true
}

/// Whether the keyboard belongs to nothing in particular.
pub fn nothing_focused() -> bool {
    false
}

/// Nobody reads on a server.
pub struct Keeper;

/// Keeps the line under the reader's eye where it is.
pub fn keep_place(_scroller: web_sys::HtmlElement, _content: &web_sys::Element) -> Option<Keeper> {
    None
}
