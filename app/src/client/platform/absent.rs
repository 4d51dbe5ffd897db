//! Stands in for the browser on the server, where most of these functions do nothing.

use std::time::{SystemTime, UNIX_EPOCH};

use protocol::Timestamp;
use unicode_segmentation::UnicodeSegmentation;

use crate::client::json::Json;
use crate::client::navigation::Navigation;
use crate::route::Address;

/// The current time.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(since.as_millis() as u64)
}

/// Minutes ahead of UTC: the server renders times in UTC.
pub fn offset(_at: Timestamp) -> i32 {
    0
}

/// Unused on the server: ids in pages come with the page's data.
pub fn random() -> u128 {
    0
}

/// True if the page is visible.
pub fn visible() -> bool {
    false
}

/// Runs a closure with a frame. On the server nothing comes in while a page is rendered.
pub fn in_frame(_ms: u64, _run: impl FnOnce() + 'static) {}

/// Runs a closure after the frame.
pub fn after_frame(_run: impl FnOnce() + 'static) {}

/// True if a media query matches.
pub fn matches(_query: &str) -> bool {
    false
}

/// The theme that the server wrote into the page.
pub fn page_theme() -> Option<String> {
    None
}

/// The page's data that the server wrote into it.
pub fn take_page() -> Option<Json> {
    None
}

/// The address bar's content. On the server the request provides the address as a context.
pub fn address() -> Address {
    Address::default()
}

/// Adds an entry to the history.
pub fn push(_to: &str) {}

/// Restores the scroll position of a history entry.
pub fn restore_scroll() {}

/// Follows clicks and the history.
pub fn follow(_navigation: Navigation) {}

/// Sets the document's title.
pub fn set_title(_title: &str) {}

/// Sets the page's meta description.
pub fn set_description(_description: &str) {}

/// Fetches JSON.
pub fn fetch(_url: &str, _answer: Box<dyn FnOnce(Option<Json>)>) {}

/// Changes the page's theme.
pub fn set_page_theme(_theme: &str) {}

/// Sends a form without leaving the page.
pub fn post(_url: &str, _form: &str, _done: Box<dyn FnOnce()>) {}

/// Loads another document.
pub fn load(_url: &str) {}

/// Loads the page again.
pub fn reload() {}

/// True if the browser supports a CSS condition.
pub fn css_supports(_condition: &str) -> bool {
    true
}

/// True if no element has the focus.
pub fn nothing_focused() -> bool {
    false
}

/// The first grapheme cluster.
pub fn first_character(text: &str) -> String {
    text.graphemes(true).next().unwrap_or_default().to_owned()
}

/// Focuses the first matching element.
pub fn focus(_selectors: &[&str]) {}

/// Focuses the composer.
pub fn focus_composer(_otherwise: &str) {}

/// True if the reader came from a page of this site.
pub fn came_from_here() -> bool {
    false
}

/// Moves the focus between messages.
pub fn move_focus_in_log(_event: &web_sys::KeyboardEvent, _scroller: &web_sys::Element) {}

/// Makes the log one stop for the Tab key.
pub fn one_tab_stop(_log: &web_sys::Element) {}

/// Keeps the scroll anchor.
pub struct AnchorKeeper;

/// Keeps the line that the reader is looking at in its position.
pub fn keep_anchor(
    _scroller: web_sys::HtmlElement,
    _content: &web_sys::Element,
    _at_end: impl Fn() -> bool + 'static,
) -> Option<AnchorKeeper> {
    None
}

/// Scrolls to the newest message.
pub fn scroll_to_end(_scroller: &web_sys::HtmlElement) {}

/// Notes the scroll anchor.
pub fn note_anchor() {}

/// Runs a closure when the browser restores the page from its cache.
pub fn when_restored(_run: impl Fn() + 'static) {}

/// True if the device has a network.
pub fn online() -> bool {
    true
}

/// Refuses files that are dropped on the page.
pub fn refuse_files(_run: impl Fn() + 'static) {}

/// True if the clipboard holds files and no text.
pub fn only_files(_event: &web_sys::ClipboardEvent) -> bool {
    false
}

/// Converts to upper case.
pub fn upper(text: &str) -> String {
    text.to_uppercase()
}

/// Converts to lower case.
pub fn lower(text: &str) -> String {
    text.to_lowercase()
}
