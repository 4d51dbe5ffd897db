//! Where messages are written. A plain form; where the room is live, the message goes over the socket instead.

use leptos::ev::{KeyboardEvent, SubmitEvent};
use leptos::html::{Div, Form, Textarea};
use leptos::prelude::*;
use protocol::limits::MESSAGE_CHARS;
use protocol::text::InvalidText;
use protocol::{ClientId, MessageText};

use super::{ProblemNote, effect};
use crate::client::kept::{self, Draft};
use crate::client::live::Live;
use crate::client::names::isolated;
use crate::client::platform;
use crate::client::store::RoomStore;
use crate::data::RoomData;

/// Characters before the limit from which on the count is shown.
const COUNT_FROM: usize = MESSAGE_CHARS - 200;

/// Lines that the box grows to where it does not grow by itself.
const LINES: usize = 8;

/// Enter sends, Shift+Enter is a new line; on touch it is the button that sends.
#[component]
pub fn Composer(
    /// The page's data.
    data: StoredValue<RoomData>,
    /// The room.
    store: RoomStore,
    /// What to scroll when something was said.
    scroller: NodeRef<Div>,
    /// Whether messages go over the socket.
    active: bool,
) -> impl IntoView {
    let live = expect_context::<Live>();
    let (room, title, client_id) = data.with_value(|data| {
        (
            data.room.clone(),
            data.title.to_string(),
            data.client_id.to_string(),
        )
    });
    let form = NodeRef::<Form>::new();
    let textarea = NodeRef::<Textarea>::new();
    let chars = RwSignal::new(0);
    let complaint = RwSignal::new(String::new());

    let changed = move || {
        let Some(textarea) = textarea.get_untracked() else {
            return;
        };
        let text = textarea.value();
        chars.set(text.chars().count());
        if chars.get_untracked() <= MESSAGE_CHARS {
            complaint.set(String::new());
        }
        if !platform::css_supports("(field-sizing: content)") {
            textarea.set_rows(text.lines().count().clamp(1, LINES) as u32);
        }
        if active {
            live.drive(store, |client, now| client.typed(text.trim().is_empty(), now));
        }
    };
    let you = data.with_value(|data| data.you.as_ref().map(|you| you.id.clone()));
    let you = you.filter(|_| active);
    let keep = {
        let (room, you) = (room.clone(), you.clone());
        move || {
            let (Some(textarea), Some(you)) = (textarea.get_untracked(), &you) else {
                return;
            };
            let at = |at: Option<Option<u32>>| at.flatten().unwrap_or_default();
            let (start, end) = (textarea.selection_start().ok(), textarea.selection_end().ok());
            let draft = Draft {
                text: textarea.value(),
                selection: (at(start), at(end)),
            };
            kept::keep_draft(you, &room, draft);
        }
    };
    let restore = {
        let room = room.clone();
        move || {
            let Some(you) = &you else { return };
            kept::draft(you, &room, move |draft| {
                if let Some(textarea) = textarea.try_get_untracked().flatten()
                    && textarea.value().is_empty()
                {
                    textarea.set_value(&draft.text);
                    let (start, end) = draft.selection;
                    textarea.set_selection_range(start, end).ok();
                    changed();
                }
            });
        }
    };
    let typed = {
        let keep = keep.clone();
        move |_| {
            changed();
            keep();
        }
    };
    let submitted = move |event: SubmitEvent| {
        let Some(textarea) = textarea.get_untracked() else {
            return;
        };
        match MessageText::try_from(textarea.value()) {
            Err(InvalidText::Empty { .. }) => event.prevent_default(),
            Err(invalid) => {
                event.prevent_default();
                complaint.set(sentence(&invalid));
            }
            Ok(text) if active => {
                event.prevent_default();
                match say(live, store, text) {
                    Ok(()) => {
                        textarea.set_value("");
                        changed();
                        keep();
                        store.go_down(scroller);
                    }
                    Err(why) => complaint.set(why.to_owned()),
                }
                textarea.focus().ok();
            }
            // A page of the past is not live: the form does what forms do.
            Ok(_) => {}
        }
    };
    let pressed = move |event: KeyboardEvent| {
        // 229: some browsers say that a key was composed only this way.
        let composing = event.is_composing() || event.key_code() == 229;
        if event.key() == "Enter"
            && !event.shift_key()
            && !composing
            && !platform::matches("(pointer: coarse)")
        {
            event.prevent_default();
            form.get_untracked().inspect(|form| {
                form.request_submit().ok();
            });
        }
    };
    effect(move || {
        // What was typed before this ran is in the box and stays there; only the count has to learn of it.
        changed();
        if let Some(textarea) = textarea.get()
            && !platform::matches("(pointer: coarse)")
            && platform::nothing_focused()
        {
            textarea.focus().ok();
        }
        restore();
    });
    view! {
        <form class="composer" method="post" action=format!("/rooms/{room}/messages") node_ref=form on:submit=submitted>
            <ProblemNote/>
            <p class="problem" role="alert" hidden=move || complaint.read().is_empty()>{move || complaint.get()}</p>
            <input type="hidden" name="client_id" value=client_id/>
            <div class="composer-box">
                <label class="visually-hidden" for="message">"Message"</label>
                <textarea
                    id="message"
                    name="text"
                    dir="auto"
                    rows="1"
                    required
                    autocomplete="off"
                    placeholder=format!("Message {}", isolated(&title))
                    enterkeyhint="enter"
                    node_ref=textarea
                    on:input=typed
                    on:keydown=pressed
                ></textarea>
                <span class="char-count" class:over=move || { chars.get() > MESSAGE_CHARS } hidden=move || chars.get() < COUNT_FROM>
                    {move || format!("{} / {MESSAGE_CHARS}", chars.get())}
                </span>
                <button class="send" aria-label="Send" title="Send">
                    <span class="icon icon-send" aria-hidden="true"></span>
                </button>
            </div>
        </form>
    }
    .into_any()
}

fn say(live: Live, store: RoomStore, text: MessageText) -> Result<(), &'static str> {
    let client_id = ClientId::from_random(platform::random());
    let now = platform::now().0;
    let commands = store.change(|client| client.say(client_id, text, now));
    live.perform(store, commands.unwrap_or(Ok(Vec::new()))?);
    Ok(())
}

fn sentence(invalid: &InvalidText) -> String {
    match invalid {
        InvalidText::TooLong { max, chars, .. } => {
            format!(
                "A message has at most {max} characters; this one has {chars}. Shorten it, or send it in parts."
            )
        }
        InvalidText::Control { code, at, .. } => format!(
            "Character {at} of this message is a control character (U+{code:04X}) that cannot be sent. Remove it and try again."
        ),
        InvalidText::Empty { .. } => String::new(),
    }
}
