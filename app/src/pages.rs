//! The pages: one file each.

mod front;
mod not_found;
mod trouble;

use leptos::prelude::*;

pub use front::Front;
pub use not_found::NotFound;
pub use trouble::Trouble;

use crate::components::Conversation;
use crate::data::Page;

/// The page with that data.
pub fn view(page: Option<Page>) -> AnyView {
    match page {
        Some(Page::Front(data)) => view! { <Front data/> }.into_any(),
        Some(Page::Room(data)) => view! { <Conversation data=*data/> }.into_any(),
        Some(Page::NoSuchRoom) => view! { <NotFound/> }.into_any(),
        Some(Page::Unavailable) => view! { <Trouble/> }.into_any(),
        None => ().into_any(),
    }
}
