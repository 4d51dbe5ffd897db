//! The page of a room, while its data is being loaded. Once it is there: [`crate::components::Conversation`].

use leptos::prelude::*;

/// What a room looks like from afar.
#[component]
pub fn RoomSkeleton() -> impl IntoView {
    view! {
        <div class="room" aria-busy="true">
            <header class="room-header">
                <a class="icon-button" href="/" aria-label="All rooms">
                    <span class="icon icon-back" aria-hidden="true"></span>
                </a>
                <p class="visually-hidden">"Loading the room…"</p>
                <div class="skeleton skeleton-name" aria-hidden="true"></div>
            </header>
            <main id="main" class="room-main">
                <div class="skeleton-list" aria-hidden="true">
                    <div class="skeleton skeleton-line"></div>
                    <div class="skeleton skeleton-line"></div>
                    <div class="skeleton skeleton-line"></div>
                    <div class="skeleton skeleton-line"></div>
                </div>
            </main>
        </div>
    }
    .into_any()
}
