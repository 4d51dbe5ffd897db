//! The form that creates a room. With a connection it uses the socket, so that a refusal keeps the page and the text.

use super::{maybe, reactive};
use crate::components::Boxed;
use crate::signal::{BoxedSignal, ElementRef};
use leptos::ev::SubmitEvent;
use leptos::html::Input;
use leptos::prelude::*;
use protocol::{RoomSlug, RoomTitle};

use crate::client::live::Live;
use crate::client::navigation::Navigation;
use crate::client::platform;
use crate::client::reconnect::Link;
use crate::client::room::Failure;
use crate::problem::{OFFLINE, Problem};

/// The form. `title` is a refused title to correct, or empty.
#[component]
pub fn CreateRoom(title: String) -> impl IntoView {
    let live = expect_context::<Live>();
    let navigation = expect_context::<Navigation>();
    let input = ElementRef::<Input>::default();
    let refused = BoxedSignal::new(None::<(String, Option<RoomSlug>)>);
    let submitted = move |event: SubmitEvent| {
        let Some(value) = input.get_untracked().map(|input| input.value()) else {
            return;
        };
        let Ok(title) = RoomTitle::try_from(value) else {
            event.prevent_default();
            refused.set(Some((Problem::Title.sentence().to_owned(), None)));
            return;
        };
        if !live.is_connected() {
            // Before the first connection the browser submits the form.
            if live.link.get_untracked() != Link::Opening || !platform::online() {
                event.prevent_default();
                refused.set(Some((OFFLINE.to_owned(), None)));
            }
            return;
        }
        event.prevent_default();
        live.create_room(title, move |outcome| match outcome {
            Ok(room) => navigation.go(&format!("/rooms/{}", room.room)),
            Err(Failure::Refused(refusal)) => {
                let sentence = Problem::from(refusal.code).sentence().to_owned();
                refused.set(Some((sentence, refusal.room)));
            }
            Err(Failure::Unknown) => {
                refused.set(Some((Problem::Unavailable.sentence().to_owned(), None)));
            }
        });
    };
    view! {
        <form class="create-room card" method="post" action="/rooms" on:submit=submitted>
            <label for="title">"Room name"</label>
            <div class="field-row">
                <input id="title" name="title" type="text" dir="auto" required autocomplete="off" placeholder="Night shift" value=title node_ref=input/>
                <button class="button">"Create room"</button>
            </div>
            {reactive(move || maybe(refused.get().map(|(sentence, room)| view! {
                <p class="problem" role="alert">
                    {sentence}
                    {maybe(room.map(|room| view! { " " <a href=format!("/rooms/{room}")>"Open it"</a> "." }.boxed()))}
                </p>
            }.boxed())))}
        </form>
    }
    .boxed()
}
