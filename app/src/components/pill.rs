//! The button "3 new messages", for a reader who is further up. Far up it says "Newest messages".

use crate::components::Boxed;
use crate::signal::ElementRef;
use leptos::html::Div;
use leptos::prelude::*;

use crate::client::platform;
use crate::client::store::RoomStore;

/// Scrolls to the newest message.
#[component]
pub fn Pill(
    /// The room.
    store: RoomStore,
    /// The scroller.
    scroller: ElementRef<Div>,
) -> impl IntoView {
    let label = move || match store.below.get() {
        0 => "Newest messages".to_owned(),
        1 => "1 new message".to_owned(),
        below => format!("{below} new messages"),
    };
    let nothing = move || store.below.get() == 0 && store.newest.get();
    let down = move |_| {
        store.scroll_down(scroller);
        // The button disappears, and must not take the focus with it.
        platform::focus_composer(".scroller");
    };
    view! {
        <button type="button" class="pill" hidden=nothing on:click=down>
            <span class="icon icon-down" aria-hidden="true"></span>
            {move || label()}
        </button>
    }
    .boxed()
}
