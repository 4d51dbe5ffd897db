//! On the server there is a clock, and nothing else of a browser.

use std::time::{SystemTime, UNIX_EPOCH};

use protocol::Timestamp;
use unicode_segmentation::UnicodeSegmentation;

use crate::client::json::Json;
use crate::client::navigation::Navigation;
use crate::route::Address;

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

/// Nothing comes in while a page is rendered.
pub fn in_frame(_ms: u64, _run: impl FnOnce() + 'static) {}

/// Nothing is painted either.
pub fn after_frame(_run: impl FnOnce() + 'static) {}

/// Whether a media query holds.
pub fn matches(_query: &str) -> bool {
    false
}

/// The theme that the page was rendered with.
pub fn page_theme() -> Option<String> {
    None
}

/// The page's data that the server wrote into it.
pub fn take_page() -> Option<Json> {
    None
}

/// Asked for only where no request says it.
pub fn address() -> Address {
    Address::default()
}

/// There is no history.
pub fn push(_to: &str) {}

/// Nor anybody who comes back.
pub fn restore_scroll() {}

/// Nobody goes anywhere.
pub fn follow(_navigation: Navigation) {}

/// Calls the document so.
pub fn set_title(_title: &str) {}

/// Says what there is on the page.
pub fn set_description(_description: &str) {}

/// Asks the server.
pub fn fetch(_url: &str, _answer: Box<dyn FnOnce(Option<Json>)>) {}

/// Changes the page's theme.
pub fn set_page_theme(_theme: &str) {}

/// Sends a form without leaving the page.
pub fn post(_url: &str, _form: &str, _done: Box<dyn FnOnce()>) {}

/// Loads another document.
pub fn load(_url: &str) {}

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

/// The first character as people see it: a grapheme cluster.
pub fn first_character(text: &str) -> String {
    text.graphemes(true).next().unwrap_or_default().to_owned()
}

/// Gives the keyboard to something.
pub fn focus(_selectors: &[&str]) {}

/// Gives the keyboard to the composer.
pub fn focus_composer(_otherwise: &str) {}

/// Whether one of this site's own pages led here.
pub fn came_from_here() -> bool {
    false
}

/// No keys are pressed.
pub fn arrow_in_log(_event: &web_sys::KeyboardEvent, _scroller: &web_sys::Element) {}

/// Nor is Tab.
pub fn one_stop(_log: &web_sys::Element) {}

/// Nobody reads on a server.
pub struct AnchorKeeper;

/// Keeps the line under the reader's eye where it is.
pub fn keep_anchor(
    _scroller: web_sys::HtmlElement,
    _content: &web_sys::Element,
    _at_end: impl Fn() -> bool + 'static,
) -> Option<AnchorKeeper> {
    None
}

/// Nothing scrolls.
pub fn scroll_to_end(_scroller: &web_sys::HtmlElement) {}

/// There is no place.
pub fn note_anchor() {}

/// Nobody comes back.
pub fn when_restored(_run: impl Fn() + 'static) {}

/// There is always a network.
pub fn online() -> bool {
    true
}

/// Nothing is dropped on a server.
pub fn refuse_files(_run: impl Fn() + 'static) {}

/// Nothing is pasted either.
pub fn only_files(_event: &web_sys::ClipboardEvent) -> bool {
    false
}

/// In capitals.
pub fn upper(text: &str) -> String {
    text.to_uppercase()
}

/// In small letters.
pub fn lower(text: &str) -> String {
    text.to_lowercase()
}
