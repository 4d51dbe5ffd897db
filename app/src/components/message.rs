//! A message: author, time, text, and how far sending has come.

use crate::components::Boxed;
use crate::signal::{ArcBoxedSignal, BoxedValue};
use client::outbox::Failed as Failure;
use leptos::prelude::*;
use protocol::{ClientId, RoomSlug};

use super::{MessageText, maybe, reactive, sentence};
use crate::client::hue::{hue, initial};
use crate::client::live::Live;
use crate::client::platform;
use crate::client::rows::{DELETED, Mark, MessageRow, Row};
use crate::client::store::RoomStore;

/// The author never changes; everything else may.
#[component]
pub fn Message(
    /// The message at first.
    first: MessageRow,
    /// The message now.
    row: ArcBoxedSignal<Row>,
    /// True if it is the reader's own message.
    own: bool,
    /// The room.
    store: RoomStore,
    /// The room's slug.
    room: RoomSlug,
) -> impl IntoView {
    let now = BoxedValue::new(row);
    let hue = hue(&first.author.id);
    let name = first.author.name.to_string();
    let client_id = first
        .key
        .rsplit_once('/')
        .and_then(|(_, id)| ClientId::try_from(id.to_owned()).ok());
    let unsent = format!("unsent-{}", first.key.replace('/', "-"));
    let id = move || match see(now, |now| now.seq) {
        Some(seq) => format!("m{seq}"),
        None => unsent.clone(),
    };
    // The permanent address of the page that ends with this message.
    let permalink = {
        let room = room.clone();
        move || see(now, |now| now.seq).map_or_else(String::new, |seq| address(&room, seq))
    };
    // The tooltip shows UTC, the same for every reader.
    let utc = move || see(now, |now| now.datetime.replace('T', " ").replace('Z', " UTC"));
    let label = {
        let name = name.clone();
        move || format!("{name}, {}", see(now, |now| now.time.clone()))
    };
    // Other people's messages have been sent, since they are here.
    let sending = move || own && see(now, |now| matches!(now.mark, Mark::Waiting | Mark::Sending));
    let class = move || {
        let set = |name: &str, set: bool| if set { format!(" {name}") } else { String::new() };
        let lead = see(now, |now| now.lead);
        format!(
            "message{}{}{}",
            set("lead", lead),
            set("own", own),
            set("sending", sending())
        )
    };
    view! {
        <article class=class id=id tabindex="-1" aria-label=label>
            <span class=format!("chip hue-{hue}") aria-hidden="true">{initial(&name)}</span>
            <header class="message-head">
                <span class=format!("author hue-{hue}") dir="auto">{name}</span>
                <a class="permalink" href=permalink rel="nofollow" tabindex="-1">
                    <time datetime=move || see(now, |now| now.datetime.clone()) title=utc>{move || see(now, |now| now.time.clone())}</time>
                </a>
            </header>
            {maybe(own.then(|| view! { <Sending now/> }.boxed()))}
            {reactive(move || maybe(see(now, |now| Some(content(now, &room)))))}
            {maybe(own.then(|| view! { <Failed now client_id store/> }.boxed()))}
        </article>
    }
    .boxed()
}

/// The permanent address of the page that ends with this message.
fn address(room: &RoomSlug, seq: u64) -> String {
    format!("/rooms/{room}?before={}#m{seq}", seq + 1)
}

/// The text, with what it replies to, when it was edited, and the reactions.
fn content(now: &MessageRow, room: &RoomSlug) -> AnyView {
    if now.deleted {
        return block("text gone", vec![DELETED.to_owned().into_any()]);
    }
    let quote = now.reply.as_ref().map(|quote| {
        let seq = quote.seq.get();
        let href = if quote.here {
            format!("#m{seq}")
        } else {
            address(room, seq)
        };
        view! { <a class="quote" href=href dir="auto">{sentence(&quote.text)}</a> }.boxed()
    });
    let mut text = vec![view! { <MessageText text=now.text.clone()/> }.into_any()];
    if !now.edited.is_empty() {
        text.push(labelled("edited", format!("Edited at {}", now.edited), "edited"));
    }
    let reactions = now.reactions.iter().map(|reaction| {
        let (emoji, count) = reaction.split_once(' ').unwrap_or_default();
        let people = if count == "1" { "person" } else { "people" };
        labelled("reaction", format!("{emoji}, {count} {people}"), reaction)
    });
    let reactions: Vec<_> = reactions.collect();
    let reactions = (!reactions.is_empty()).then(|| block("reactions", reactions));
    vec![maybe(quote), block("text", text), maybe(reactions)].into_any()
}

fn block(class: &str, content: Vec<AnyView>) -> AnyView {
    view! { <div class=class.to_owned() dir="auto">{content}</div> }.boxed()
}

/// A short text that is read out as something longer, which is its tooltip, too.
fn labelled(class: &str, label: String, text: &str) -> AnyView {
    view! {
        <span class=class.to_owned() role="img" aria-label=label.clone() title=label>{text.to_owned()}</span>
    }
    .boxed()
}

/// The message now.
type Now = BoxedValue<ArcBoxedSignal<Row>>;

/// Reads from the message as it is now. A line never changes its kind, so the row is always a message.
fn see<R: Default>(now: Now, look: impl FnOnce(&MessageRow) -> R) -> R {
    let row = now.try_get_value();
    row.and_then(|row| {
        row.with(|row| match row {
            Row::Message(message) => Some(look(message)),
            _ => None,
        })
    })
    .unwrap_or_default()
}

/// A clock icon until the message is sent.
#[component]
fn Sending(now: Now) -> impl IntoView {
    let waiting = move || see(now, |now| now.mark == Mark::Waiting);
    let sending = move || waiting() || see(now, |now| now.mark == Mark::Sending);
    let state = move || {
        if waiting() {
            "Waiting to be sent".to_owned()
        } else {
            "Sending".to_owned()
        }
    };
    view! {
        <span class="mark icon icon-clock" role="img" aria-label=state title=state hidden=move || !sending()></span>
    }
    .boxed()
}

/// Why the message was not sent, with buttons to retry, edit or discard it.
#[component]
fn Failed(now: Now, client_id: Option<ClientId>, store: RoomStore) -> impl IntoView {
    let live = expect_context::<Live>();
    let failed = move || {
        see(now, |now| match &now.mark {
            Mark::Failed(failed) => Some(failed.clone()),
            _ => None,
        })
    };
    reactive(move || {
        let (again, gone) = (client_id.clone(), client_id.clone());
        let retry = move || {
            if let Some(id) = again.clone() {
                live.drive(store, |client, now| client.retry(&id, now));
            }
            platform::focus_composer(".scroller");
        };
        let take = move || {
            let id = gone.clone()?;
            let text = store.change(|client| client.discard(&id))?;
            // The button disappears, and must not take the focus with it.
            platform::focus_composer(".scroller");
            text
        };
        let edit = take.clone();
        let edit = move || {
            if let Some(text) = edit() {
                store.returned.set(text.into());
            }
        };
        let failed = failed().map(|Failure { why, hopeless }| {
            // A message that can never be sent is not retried; it goes back to the composer.
            let label = if hopeless { "Edit" } else { "Try again" };
            view! {
                <p class="failed" role="alert">
                    <span class="icon icon-alert" aria-hidden="true"></span>
                    "Not sent. " {why} " "
                    <button type="button" class="link-button" on:click=move |_| if hopeless { edit() } else { retry() }>{label}</button>
                    <button type="button" class="link-button" on:click=move |_| { take(); }>"Discard"</button>
                </p>
            }
            .boxed()
        });
        maybe(failed)
    })
}
