//! The document's title and description.

use crate::client::platform;
use crate::components::effect;
use crate::data::PageData;

/// The title of a page when it is opened.
pub fn title_of(page: &PageData) -> String {
    match page {
        PageData::Front(_) => "Hubbub".to_owned(),
        PageData::Room(data) => format!("{} · Hubbub", data.title),
        PageData::NoSuchRoom => "Not found · Hubbub".to_owned(),
        PageData::Unavailable => "Just a moment · Hubbub".to_owned(),
    }
}

/// Keeps the document's title up to date in the browser while this page is on screen. The server writes [`title_of`].
pub fn title(title: impl Fn() -> String + 'static) {
    effect(move || platform::set_title(&title()));
}

/// A sentence that describes the page, for search engines and link previews.
pub fn description(page: &PageData) -> Option<String> {
    match page {
        PageData::Front(_) => Some("Self-hosted team chat that never loses a message.".to_owned()),
        PageData::Room(data) => Some(format!("Join the conversation in {} on Hubbub.", data.title)),
        PageData::NoSuchRoom | PageData::Unavailable => None,
    }
}
