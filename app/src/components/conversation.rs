//! The page of a room: header, messages, people, composer. It becomes live here.

use crate::components::Boxed;
use crate::signal::{BoxedValue, ElementRef};
use leptos::html::Div;
use leptos::prelude::*;

use super::{
    Announcer, Composer, Connection, LeftText, Messages, Notices, People, Pill, SignIn, ThemeSwitch, effect,
    maybe,
};
use crate::client::live::Live;
use crate::client::platform;
use crate::client::store::RoomStore;
use crate::data::RoomData;
use crate::head;

/// Shows the room from the page's data, then as events arrive.
#[component]
pub fn Conversation(
    /// The page's data.
    data: RoomData,
) -> impl IntoView {
    let live = expect_context::<Live>();
    let store = RoomStore::new(&data);
    let scroller = ElementRef::<Div>::default();
    let you = data.you.clone();
    let is_live = you.is_some() && data.latest;
    let room = data.room.clone();
    let data = BoxedValue::new(data);

    effect(move || {
        // In a separate task, after hydration.
        platform::after_frame(move || {
            store.use_local_time();
            if is_live {
                live.enter(store);
            }
        });
        let seen = window_event_listener_untyped("visibilitychange", move |_| store.visibility_changed());
        on_cleanup(move || {
            seen.remove();
            if is_live {
                live.leave(store);
            }
        });
    });

    head::title(move || match (store.missed.get(), store.title.get()) {
        (0, title) => format!("{title} · Hubbub"),
        (missed, title) => format!("({missed}) {title} · Hubbub"),
    });
    let skip = match you {
        Some(_) => ("#message", "Skip to message box"),
        None => ("#name", "Skip to sign-in"),
    };
    let foot = if you.is_some() {
        view! { <Composer data store scroller is_live/> }.boxed()
    } else {
        let returned = data.with_value(|data| data.returned.clone());
        view! {
            <div class="composer">
                <SignIn next=format!("/rooms/{room}") returned/>
            </div>
        }
        .boxed()
    };
    let notices = you.clone().filter(|_| is_live).map(|you| {
        view! {
            <Notices over=store.over/>
            <LeftText you store/>
        }
        .boxed()
    });
    view! {
        <a class="skip" href=skip.0>{skip.1}</a>
        <div class="room">
            <header class="room-header">
                <a class="icon-button" href="/" aria-label="All rooms" title="All rooms">
                    <span class="icon icon-back" aria-hidden="true"></span>
                </a>
                <h1 dir="auto">{move || store.title.get()}</h1>
                {maybe(is_live.then(|| view! { <Connection/> }.boxed()))}
                <ThemeSwitch/>
            </header>
            <People people=store.people you=you/>
            <main id="main" class="room-main">
                <Messages data store scroller is_live/>
                <div class="over-messages">
                    <Pill store scroller/>
                </div>
            </main>
            <section class="foot" aria-label="Say something">
                {maybe(notices)}
                {foot}
            </section>
            <Announcer store/>
        </div>
    }
    .boxed()
}
