//! The pages, one per file.

mod front;
mod not_found;
mod trouble;

use crate::components::Boxed;
use leptos::prelude::*;

pub use front::Front;
pub use not_found::NotFound;
pub use trouble::Trouble;

use crate::components::Conversation;
use crate::data::PageData;

/// The page that shows this data.
pub fn view(page: Option<PageData>) -> AnyView {
    match page {
        Some(PageData::Front(data)) => view! { <Front data/> }.boxed(),
        Some(PageData::Room(data)) => view! { <Conversation data=*data/> }.boxed(),
        Some(PageData::NoSuchRoom) => view! { <NotFound/> }.boxed(),
        Some(PageData::Unavailable) => view! { <Trouble/> }.boxed(),
        None => ().into_any(),
    }
}
