//! The form that creates a room. With a connection it uses the socket, so that a refusal keeps the page and the text.

use super::{ProblemNote, maybe, reactive};
use crate::components::Boxed;
use crate::signal::{BoxedSignal, ElementRef};
use client::reconnect::Link;
use client::room::Failure;
use leptos::ev::SubmitEvent;
use leptos::html::Input;
use leptos::prelude::*;
use protocol::RoomTitle;

use crate::client::live::Live;
use crate::client::navigation::Navigation;
use crate::client::platform;
use crate::client::returned::Returned;
use crate::problem::{OFFLINE, UNREACHABLE, sentence, shown};

/// The form.
#[component]
pub fn CreateRoom(
    /// A refused title to correct.
    returned: Returned,
) -> impl IntoView {
    let live = expect_context::<Live>();
    let navigation = expect_context::<Navigation>();
    let input = ElementRef::<Input>::default();
    let problem = BoxedSignal::new(returned.why);
    let existing = BoxedSignal::new(returned.room);
    let submitted = move |event: SubmitEvent| {
        let Some(value) = input.get_untracked().map(|input| input.value()) else {
            return;
        };
        existing.set(None);
        let why = match RoomTitle::try_from(value) {
            Err(invalid) => shown(&invalid.to_string()),
            Ok(_) if !platform::online() => OFFLINE.to_owned(),
            Ok(title) if live.is_connected() => {
                event.prevent_default();
                return live.create_room(title, move |outcome| match outcome {
                    Ok(room) => navigation.go(&format!("/rooms/{}", room.room)),
                    Err(Failure::Refused(refusal)) => {
                        problem.set(sentence(&refusal));
                        existing.set(refusal.room);
                    }
                    Err(Failure::Unknown) => problem.set(UNREACHABLE.to_owned()),
                });
            }
            // Before the first connection the browser submits the form.
            Ok(_) if live.link.get_untracked() == Link::Opening => return,
            Ok(_) => UNREACHABLE.to_owned(),
        };
        event.prevent_default();
        problem.set(why);
    };
    let link = reactive(move || {
        let link = existing
            .get()
            .map(|room| view! { " " <a href=format!("/rooms/{room}")>"Open it"</a> "." }.boxed());
        maybe(link)
    });
    view! {
        <form class="create-room card" method="post" action="/rooms" on:submit=submitted>
            <label for="title">"Room name"</label>
            <div class="field-row">
                <input id="title" name="title" type="text" dir="auto" required autocomplete="off" placeholder="Night shift" value=returned.text node_ref=input/>
                <button class="button">"Create room"</button>
            </div>
            <ProblemNote problem link/>
        </form>
    }
    .boxed()
}
