//! The page of a room: `/rooms/lobby`, and `/rooms/lobby?before=120` for what was said before message 120.

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use protocol::{RoomSlug, Seq};

use super::{NotFound, Trouble};
use crate::components::Conversation;
use crate::data::{PageError, RoomData, load_room};

/// One resource brings everything. Another room is another address of the same page.
#[component]
pub fn Room() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let address = move || {
        let slug = params
            .read()
            .get("slug")
            .and_then(|slug| RoomSlug::try_from(slug).ok());
        let before = query
            .read()
            .get("before")
            .and_then(|seq| Seq::try_from(seq.parse::<u64>().ok()?).ok());
        (slug, before)
    };
    let page = Resource::new(address, |(slug, before)| async move {
        load_room(slug.ok_or(PageError::NoSuchRoom)?, before).await
    });
    view! {
        <Suspense fallback=RoomSkeleton>
            {move || Suspend::new(async move { room(page.await) })}
        </Suspense>
    }
    .into_any()
}

fn room(data: Result<RoomData, PageError>) -> AnyView {
    match data {
        Ok(data) => view! { <Conversation data/> }.into_any(),
        Err(PageError::NoSuchRoom) => view! { <NotFound/> }.into_any(),
        Err(PageError::Unavailable) => view! { <Trouble/> }.into_any(),
    }
}

#[component]
fn RoomSkeleton() -> impl IntoView {
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
