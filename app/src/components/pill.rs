//! "3 new messages", for a reader who is further up.

use leptos::html::Div;
use leptos::prelude::*;

use crate::client::store::RoomStore;

/// Leads down.
#[component]
pub fn Pill(
    /// The room.
    store: RoomStore,
    /// What scrolls.
    scroller: NodeRef<Div>,
) -> impl IntoView {
    let label = move || match store.below.get() {
        1 => "1 new message".to_owned(),
        below => format!("{below} new messages"),
    };
    let down = move |_| {
        if let Some(scroller) = scroller.get_untracked() {
            scroller.set_scroll_top(0);
        }
        store.below.set(0);
    };
    view! {
        <button type="button" class="pill" hidden=move || store.below.get() == 0 on:click=down>
            <span class="icon icon-down" aria-hidden="true"></span>
            {move || label()}
        </button>
    }
    .into_any()
}
