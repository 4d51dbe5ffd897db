//! What the document is called, and what search engines say about it.

#[cfg(not(feature = "ssr"))]
mod browser;
#[cfg(feature = "ssr")]
mod server;

#[cfg(not(feature = "ssr"))]
pub use browser::title;
#[cfg(feature = "ssr")]
pub use server::title;

use crate::data::Page;

/// What there is on the page, in a sentence.
pub fn description(page: &Page) -> Option<String> {
    match page {
        Page::Front(_) => {
            Some("A self-hosted chat for teams and communities that keeps what people type.".to_owned())
        }
        Page::Room(data) => Some(format!("What is said in {}, on Hubbub.", data.title)),
        Page::NoSuchRoom | Page::Unavailable => None,
    }
}
