//! What a screen reader says of messages that come in, where the reader is not looking at them.

use crate::components::Boxed;
use leptos::prelude::*;

use super::list;
use crate::client::store::RoomStore;

/// An element for each announcement: two at once, or the same words again, are heard as well.
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
