//! Announces incoming messages to screen readers.

use crate::components::Boxed;
use leptos::prelude::*;

use super::list;
use crate::client::store::RoomStore;

/// Each announcement is an element of its own, so that simultaneous and repeated ones are all read.
#[component]
pub fn Announcer(
    /// The room.
    store: RoomStore,
) -> impl IntoView {
    let announced = move || store.announced.get();
    let entry = |(_, text): (u32, String)| view! { <p class="said">{text}</p> }.boxed();
    view! {
        <div class="visually-hidden" aria-live="polite">
            {list(announced, |(number, _)| number.to_string(), entry)}
        </div>
    }
    .boxed()
}
