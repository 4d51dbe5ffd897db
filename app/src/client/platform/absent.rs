//! Stands in for the browser on the server, where most of these functions do nothing.
#![expect(missing_docs, reason = "documented in the files beside this one")]

use std::time::{SystemTime, UNIX_EPOCH};

use protocol::Timestamp;
use unicode_segmentation::UnicodeSegmentation;

use crate::client::json::Json;
use crate::client::navigation::Navigation;
use crate::route::Address;

pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(since.as_millis() as u64)
}

// The server renders times in UTC.
pub fn offset(_at: Timestamp) -> i32 {
    0
}

// Unused on the server: ids in pages come with their data.
pub fn random() -> u128 {
    0
}

pub fn visible() -> bool {
    false
}

pub fn in_frame(_ms: u64, _run: impl FnOnce() + 'static) {}

pub fn after_frame(_run: impl FnOnce() + 'static) {}

pub fn matches(_query: &str) -> bool {
    false
}

pub fn page_theme() -> Option<String> {
    None
}

pub fn take_page() -> Option<Json> {
    None
}

// The request provides the address as a context.
pub fn address() -> Address {
    Address::default()
}

pub fn push(_to: &str) {}

pub fn restore_scroll() {}

pub fn follow(_navigation: Navigation) {}

pub fn set_title(_title: &str) {}

pub fn set_description(_description: &str) {}

pub fn fetch(_url: &str, _answer: Box<dyn FnOnce(Option<Json>)>) {}

pub fn set_page_theme(_theme: &str) {}

pub fn post(_url: &str, _form: &str, _done: Box<dyn FnOnce()>) {}

pub fn load(_url: &str) {}

pub fn reload() {}

pub fn css_supports(_condition: &str) -> bool {
    true
}

pub fn nothing_focused() -> bool {
    false
}

pub fn first_character(text: &str) -> String {
    text.graphemes(true).next().unwrap_or_default().to_owned()
}

pub fn focus(_selectors: &[&str]) {}

pub fn focus_composer(_otherwise: &str) {}

pub fn came_from_here() -> bool {
    false
}

pub fn move_focus_in_log(_event: &web_sys::KeyboardEvent, _scroller: &web_sys::Element) {}

pub fn one_tab_stop(_log: &web_sys::Element) {}

pub struct AnchorKeeper;

pub fn keep_anchor(
    _scroller: web_sys::HtmlElement,
    _content: &web_sys::Element,
    _at_end: impl Fn() -> bool + 'static,
) -> Option<AnchorKeeper> {
    None
}

pub fn scroll_to_end(_scroller: &web_sys::HtmlElement) {}

pub fn note_anchor() {}

pub fn when_restored(_run: impl Fn() + 'static) {}

pub fn online() -> bool {
    true
}

pub fn refuse_files(_run: impl Fn() + 'static) {}

pub fn only_files(_event: &web_sys::ClipboardEvent) -> bool {
    false
}

pub fn upper(text: &str) -> String {
    text.to_uppercase()
}

pub fn lower(text: &str) -> String {
    text.to_lowercase()
}
