//! The composer. A plain form; on a live page the message goes over the socket instead.

use crate::components::Boxed;
use crate::signal::{BoxedSignal, BoxedValue, ElementRef};
use client::names::isolated;
use client::size::{CONTROL, EMPTY, TooBig};
use leptos::ev::{ClipboardEvent, KeyboardEvent, SubmitEvent};
use leptos::html::{Div, Form, Textarea};
use leptos::prelude::*;
use protocol::text::InvalidText;
use protocol::{ClientId, MessageText};

use super::{ProblemNote, effect};
use crate::client::composing::{Key, Keys, clean};
use crate::client::kept::{self, Draft, Taken};
use crate::client::live::Live;
use crate::client::platform;
use crate::client::store::RoomStore;
use crate::data::RoomData;
use crate::problem::OFFLINE;

/// The count appears this many characters before the limit, or a fifth of the limit if that is less.
const COUNTED: usize = 200;

/// Maximum number of rows of the text area in browsers without `field-sizing`.
const LINES: usize = 8;

/// Shown when files are pasted or dropped.
const NO_FILES: &str = "Files and images can't be sent yet.";

/// Enter sends and Shift+Enter starts a new line. With an on-screen keyboard only the button sends.
#[component]
pub fn Composer(
    /// The page's data.
    data: BoxedValue<RoomData>,
    /// The room.
    store: RoomStore,
    /// The scroller to move down after sending.
    scroller: ElementRef<Div>,
    /// True if messages go over the socket.
    is_live: bool,
) -> impl IntoView {
    let live = expect_context::<Live>();
    let (room, title, client_id) = data.with_value(|data| {
        (
            data.room.clone(),
            data.title.to_string(),
            data.client_id.to_string(),
        )
    });
    let form = ElementRef::<Form>::default();
    let textarea = ElementRef::<Textarea>::default();
    let chars = BoxedSignal::new(0);
    let returned = data.with_value(|data| data.returned.clone());
    let returned_html = returned.html();
    let complaint = BoxedSignal::new(returned.why.clone());
    let max = data.with_value(|data| data.limits.message_chars as usize);
    let count_from = max.saturating_sub(COUNTED.min(max / 5));

    let changed = move || {
        let Some(textarea) = textarea.get_untracked() else {
            return;
        };
        let text = textarea.value();
        chars.set(text.chars().count());
        if chars.get_untracked() <= max {
            complaint.set(String::new());
        }
        if !platform::css_supports("(field-sizing: content)") {
            textarea.set_rows(text.lines().count().clamp(1, LINES) as u32);
        }
        if is_live {
            live.drive(store, |client, now| client.typed(text.trim().is_empty(), now));
        }
    };
    let you = data.with_value(|data| data.you.clone());
    // The form's author: the server refuses the form if the session belongs to another person by then.
    let author = you.as_ref().map_or_else(String::new, |you| you.id.to_string());
    let keep = {
        let (room, you) = (room.clone(), you.clone());
        move |posted: bool| {
            let (Some(textarea), Some(you)) = (textarea.get_untracked(), &you) else {
                return;
            };
            let at = |at: Option<Option<u32>>| at.flatten().unwrap_or_default();
            let (start, end) = (textarea.selection_start().ok(), textarea.selection_end().ok());
            let draft = Draft {
                text: textarea.value(),
                selection: (at(start), at(end)),
                posted,
            };
            kept::keep_draft(you, &room, draft);
        }
    };
    let restore = {
        let room = room.clone();
        move || {
            let Some(you) = &you else { return };
            kept::draft(you, &room, move |draft| {
                let textarea = textarea.get_untracked();
                let Some(textarea) = textarea.filter(|textarea| textarea.value().is_empty()) else {
                    return Taken::Left;
                };
                if draft.posted && store.look(|client| client.said_last(&draft.text)) == Some(true) {
                    return Taken::Sent;
                }
                textarea.set_value(&draft.text);
                let (start, end) = draft.selection;
                textarea.set_selection_range(start, end).ok();
                changed();
                Taken::Shown
            });
        }
    };
    let typed = {
        let keep = keep.clone();
        move |_| {
            let cleaned = textarea.get_untracked().and_then(|textarea| {
                let cursor = textarea.selection_end().ok().flatten().unwrap_or_default();
                let cleaned = clean(&textarea.value(), cursor)?;
                textarea.set_value(&cleaned.text);
                textarea.set_selection_range(cleaned.cursor, cleaned.cursor).ok();
                Some(cleaned.note)
            });
            changed();
            keep(false);
            if let Some(note) = cleaned {
                complaint.set(note);
            }
        }
    };
    // A text that could not be sent is appended to the draft.
    let put_back = {
        let keep = keep.clone();
        move || {
            let text = store.returned.get();
            let Some(textarea) = textarea.get_untracked().filter(|_| !text.is_empty()) else {
                return;
            };
            store.returned.set(String::new());
            let written = textarea.value();
            let gap = if written.is_empty() { "" } else { "\n\n" };
            textarea.set_value(&format!("{written}{gap}{text}"));
            changed();
            keep(false);
            textarea.focus().ok();
        }
    };
    let submitted = move |event: SubmitEvent| {
        let Some(textarea) = textarea.get_untracked() else {
            return;
        };
        let checked = MessageText::try_from(textarea.value());
        if let Some(too_big) = checked.as_ref().ok().and_then(|text| too_big(store, text)) {
            event.prevent_default();
            complaint.set(too_big.sentence());
            return;
        }
        match checked {
            Err(invalid) => {
                event.prevent_default();
                complaint.set(sentence(&invalid));
            }
            Ok(text) if is_live => {
                event.prevent_default();
                match say(live, store, text) {
                    Ok(()) => {
                        textarea.set_value("");
                        changed();
                        keep(false);
                        store.scroll_down(scroller);
                    }
                    Err(why) => complaint.set(why.to_owned()),
                }
                textarea.focus().ok();
            }
            // A page of older messages is not live: the browser submits the form.
            Ok(_) if platform::online() => keep(true),
            Ok(_) => {
                event.prevent_default();
                complaint.set(OFFLINE.to_owned());
            }
        }
    };
    let keys = BoxedValue::new(Keys::default());
    let pressed = move |event: KeyboardEvent| {
        let (name, code) = (event.key(), event.code());
        let key = Key {
            enter: name == "Enter",
            modifier: matches!(name.as_str(), "Shift" | "Control" | "Alt" | "Meta"),
            shift: event.shift_key(),
            command: event.ctrl_key() || event.meta_key(),
            // Some browsers report a composed key only as key code 229.
            composing: event.is_composing() || event.key_code() == 229,
            physical: !code.is_empty() && code != "Unidentified",
        };
        let touch = platform::matches("(pointer: coarse)");
        if keys.try_update_value(|keys| keys.sends(key, touch)) == Some(true) {
            event.prevent_default();
            // The browser would say that a text is required.
            let blank = |text: String| text.trim().is_empty();
            if textarea
                .get_untracked()
                .is_some_and(|textarea| !blank(textarea.value()))
            {
                form.get_untracked().inspect(|form| {
                    form.request_submit().ok();
                });
            }
        }
    };
    let pasted = move |event: ClipboardEvent| {
        if platform::only_files(&event) {
            complaint.set(NO_FILES.to_owned());
        }
    };
    effect(move || {
        if live.files_dropped.get() > 0 {
            complaint.set(NO_FILES.to_owned());
        }
    });
    effect(put_back);
    effect(move || {
        // Text typed before hydration stays in the box; only the count needs an update.
        changed();
        if !returned.why.is_empty() {
            complaint.set(returned.why.clone());
        }
        if let Some(textarea) = textarea.get()
            && !platform::matches("(pointer: coarse)")
            && platform::nothing_focused()
        {
            textarea.focus().ok();
        }
        restore();
    });
    let counter = move || {
        if chars.get() > max {
            "char-count over".to_owned()
        } else {
            "char-count".to_owned()
        }
    };
    view! {
        <form class="composer" method="post" action=format!("/rooms/{room}/messages") node_ref=form on:submit=submitted>
            <ProblemNote problem=complaint/>
            <input type="hidden" name="client_id" value=client_id/>
            <input type="hidden" name="author" value=author/>
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
                    node_ref=textarea
                    inner_html=returned_html
                    on:input=typed
                    on:keydown=pressed
                    on:paste=pasted
                ></textarea>
                <span class=counter hidden=move || chars.get() < count_from>
                    {move || format!("{} / {max}", chars.get())}
                </span>
                <button class="send" aria-label="Send" title="Send">
                    <span class="icon icon-send" aria-hidden="true"></span>
                </button>
            </div>
        </form>
    }
    .boxed()
}

/// Why the text is too long for this server, if it is.
fn too_big(store: RoomStore, text: &MessageText) -> Option<TooBig> {
    store.look(|client| client.check(text).err())?
}

fn say(live: Live, store: RoomStore, text: MessageText) -> Result<(), &'static str> {
    let client_id = ClientId::from_random(platform::random());
    let now = platform::now().0;
    let effects = store.change(|client| client.say(client_id, text, now));
    live.perform(store, effects.unwrap_or(Ok(Vec::new()))?);
    Ok(())
}

fn sentence(invalid: &InvalidText) -> String {
    match invalid {
        InvalidText::TooLong { max, chars, .. } => TooBig {
            max: *max,
            chars: *chars,
        }
        .sentence(),
        InvalidText::Control { .. } => CONTROL.to_owned(),
        InvalidText::Empty { .. } | InvalidText::NotEmoji => EMPTY.to_owned(),
    }
}
