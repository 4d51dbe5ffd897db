//! What the document is called, and what search engines say about it.

use crate::client::platform;
use crate::components::effect;
use crate::data::PageData;

/// What a page is called when it is opened.
pub fn title_of(page: &PageData) -> String {
    match page {
        PageData::Front(_) => "Hubbub".to_owned(),
        PageData::Room(data) => format!("{} · Hubbub", data.title),
        PageData::NoSuchRoom => "Not found · Hubbub".to_owned(),
        PageData::Unavailable => "Just a moment · Hubbub".to_owned(),
    }
}

/// Calls the document so in the browser, for as long as this page is on screen. The server writes [`title_of`].
pub fn title(title: impl Fn() -> String + 'static) {
    effect(move || platform::set_title(&title()));
}

/// What there is on the page, in a sentence.
pub fn description(page: &PageData) -> Option<String> {
    match page {
        PageData::Front(_) => Some("Self-hosted team chat that never loses a message.".to_owned()),
        PageData::Room(data) => Some(format!("Join the conversation in {} on Hubbub.", data.title)),
        PageData::NoSuchRoom | PageData::Unavailable => None,
    }
}
