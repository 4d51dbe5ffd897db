//! The pages: one file each.

mod front;
mod not_found;
mod room;
mod trouble;

use leptos::prelude::*;

pub use front::{Front, FrontSkeleton};
pub use not_found::NotFound;
pub use room::RoomSkeleton;
pub use trouble::Trouble;

use crate::client::navigation::Navigation;
use crate::components::Conversation;
use crate::data::Page;
use crate::place::Place;

/// The page with that data; while there is none, what the page will roughly look like.
pub fn view(page: Option<Page>, navigation: Navigation) -> AnyView {
    match page {
        Some(Page::Front(data)) => view! { <Front data/> }.into_any(),
        Some(Page::Room(data)) => view! { <Conversation data=*data/> }.into_any(),
        Some(Page::NoSuchRoom) => view! { <NotFound/> }.into_any(),
        Some(Page::Unavailable) => view! { <Trouble/> }.into_any(),
        None => match untrack(|| navigation.place()) {
            Place::Front => view! { <FrontSkeleton/> }.into_any(),
            _ => view! { <RoomSkeleton/> }.into_any(),
        },
    }
}
