//! The message list and its scroller.
//!
//! The scroller is a reversed column around one wrapper: it starts at the bottom without a script, and its origin is
//! the newest message. `keep_anchor` keeps the position of a reader who is further up.

use crate::components::Boxed;
use crate::signal::{BoxedValue, ElementRef};
use client::room::{Older, RoomClient};
use leptos::ev::KeyboardEvent;
use leptos::html::Div;
use leptos::prelude::*;

use super::{RowView, effect, list, sentence};
use crate::client::live::Live;
use crate::client::platform;
use crate::client::store::RoomStore;
use crate::data::RoomData;

/// Closer to an end of the messages in the page than this loads more, in CSS pixels.
const NEAR_PX: i32 = 800;

/// The messages, oldest first.
#[component]
pub fn Messages(
    /// The page's data.
    data: BoxedValue<RoomData>,
    /// The room.
    store: RoomStore,
    /// The scroller.
    scroller: ElementRef<Div>,
    /// True if the page is live, false for a page of older messages.
    is_live: bool,
) -> impl IntoView {
    let live = expect_context::<Live>();
    let (room, you) = data.with_value(|data| (data.room.clone(), data.you.clone()));
    let older = move || {
        if is_live {
            live.drive(store, |client, _| client.want_older());
        }
    };
    let scrolled = move || {
        let Some(scroller) = scroller.get_untracked() else {
            return;
        };
        let from_bottom = scroller.scroll_top().abs();
        let newest = store.newest.try_get_untracked().unwrap_or_default();
        store.reader_at_bottom(newest && from_bottom < platform::BOTTOM_PX);
        if scroller.scroll_height() - scroller.client_height() - from_bottom < NEAR_PX {
            older();
        } else if !newest && from_bottom < NEAR_PX {
            store.change(RoomClient::want_newer);
        }
    };
    let content = ElementRef::<Div>::default();
    let log = ElementRef::<Div>::default();
    let one_tab_stop = move || {
        if let Some(log) = log.get_untracked() {
            platform::one_tab_stop(&log);
        }
    };
    effect(move || {
        store.lines.track();
        // In a separate task, after the lines are in the page.
        platform::after_frame(one_tab_stop);
    });
    let pressed = move |event: KeyboardEvent| {
        if let Some(scroller) = scroller.get_untracked() {
            platform::move_focus_in_log(&event, &scroller);
        }
    };
    // The effect lives as long as the page.
    let mut keeper = None;
    effect(move || {
        keeper = match (scroller.get(), content.get()) {
            (Some(scroller), Some(content)) => {
                // The reader may have scrolled up before hydration.
                if scroller.scroll_top() != 0 {
                    scrolled();
                }
                // The browser may still report sizes when the page is gone.
                platform::keep_anchor((*scroller).clone(), &content, move || {
                    store.newest.try_get_untracked().unwrap_or_default()
                })
            }
            _ => keeper.take(),
        };
    });
    let lines = move || store.lines.get();
    let row = {
        let room = room.clone();
        move |line| view! { <RowView line store room=room.clone() you=you.clone()/> }.boxed()
    };
    view! {
        <div
            class="scroller"
            node_ref=scroller
            tabindex="0"
            role="region"
            aria-label="Message history"
            aria-description="Use the arrow keys to move between messages."
            on:scroll=move |_| scrolled()
            on:keydown=pressed
        >
            <div class="scrolled" node_ref=content>
                <Top data store is_live/>
                <div class="log" node_ref=log on:focusin=move |_| one_tab_stop() role="log" aria-live="off" aria-label="Messages">
                    {list(lines, |line| line.key.clone(), row)}
                </div>
                <Bottom data store/>
                // Without scripts the server's times are not converted.
                <noscript class="hint">"Times are in UTC."</noscript>
            </div>
        </div>
    }
    .boxed()
}

/// Above the oldest message: a link to older ones, or the start of the room.
#[component]
fn Top(data: BoxedValue<RoomData>, store: RoomStore, is_live: bool) -> impl IntoView {
    let live = expect_context::<Live>();
    let (room, latest) = data.with_value(|data| (data.room.clone(), data.latest));
    let href = move || {
        store.lines.track();
        let first = store.look(RoomClient::first_shown).flatten();
        first.map_or_else(String::new, |first| format!("/rooms/{room}?before={first}"))
    };
    // On a live page the link loads older messages into the page.
    let load = move |event: leptos::ev::MouseEvent| {
        if is_live && live.is_connected() && store.older.get_untracked() == Older::More {
            event.prevent_default();
            live.drive(store, |client, _| client.want_older());
        }
    };
    let link = move || matches!(store.older.get(), Older::More | Older::Elsewhere);
    // A page of older messages without any is at the start of the room.
    let nothing = move || latest && store.lines.with(Vec::is_empty);
    view! {
        <div class="list-top">
            <a class="older" href=href on:click=load hidden=move || !link()>"Older messages"</a>
            <div class="skeleton-list" aria-hidden="true" hidden=move || store.older.get() != Older::Loading>
                <div class="skeleton skeleton-line"></div>
                <div class="skeleton skeleton-line"></div>
            </div>
            <p class="beginning" hidden=move || store.older.get() != Older::None || nothing()>
                "This is the start of the room."
            </p>
            <p class="empty" hidden=move || !nothing()>"No messages yet. Say hello."</p>
        </div>
    }
    .boxed()
}

/// Below the messages: who is typing, or on a page of older messages the link to the newest.
#[component]
fn Bottom(data: BoxedValue<RoomData>, store: RoomStore) -> impl IntoView {
    let (room, latest) = data.with_value(|data| (data.room.clone(), data.latest));
    if latest {
        view! { <p class="typing">{move || sentence(&store.typing.get())}</p> }.boxed()
    } else {
        view! { <p class="newest"><a class="button" href=format!("/rooms/{room}")>"Newest messages"</a></p> }
            .boxed()
    }
}
