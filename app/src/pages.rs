//! The pages: one file each.

mod front;
mod not_found;
mod trouble;

use crate::components::Boxed;
use leptos::prelude::*;

pub use front::Front;
pub use not_found::NotFound;
pub use trouble::Trouble;

use crate::components::Conversation;
use crate::data::Page;

/// The page with that data.
pub fn view(page: Option<Page>) -> AnyView {
    match page {
        Some(Page::Front(data)) => view! { <Front data/> }.boxed(),
        Some(Page::Room(data)) => view! { <Conversation data=*data/> }.boxed(),
        Some(Page::NoSuchRoom) => view! { <NotFound/> }.boxed(),
        Some(Page::Unavailable) => view! { <Trouble/> }.boxed(),
        None => ().into_any(),
    }
}
