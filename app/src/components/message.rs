//! A message: who, when, what, and how far it has come.

use leptos::prelude::*;
use protocol::{ClientId, RoomSlug};

use super::{MessageText, reactive};
use crate::client::hue::{hue, initial};
use crate::client::live::Live;
use crate::client::outbox::Failed as Failure;
use crate::client::platform;
use crate::client::rows::{Mark, MessageRow, Row};
use crate::client::store::RoomStore;

/// Author and text never change; place, time and mark do.
#[component]
pub fn Message(
    /// What it is at first.
    first: MessageRow,
    /// What it is now.
    row: ArcRwSignal<Row>,
    /// Whether it is the reader's own.
    own: bool,
    /// The room.
    store: RoomStore,
    /// Its address.
    room: RoomSlug,
) -> impl IntoView {
    let fallback = first.clone();
    let now = move || match &*row.read() {
        Row::Message(message) => (**message).clone(),
        _ => fallback.clone(),
    };
    let now = Memo::new(move |_| now());
    let hue = hue(&first.author.id);
    let name = first.author.name.to_string();
    let client_id = first
        .key
        .rsplit_once('/')
        .and_then(|(_, id)| ClientId::try_from(id.to_owned()).ok());
    let id = move || now.read().seq.map(|seq| format!("m{seq}"));
    // The page that ends with this message: its address for ever.
    let permalink = move || {
        let seq = now.read().seq;
        seq.map(|seq| format!("/rooms/{room}?before={}#m{seq}", seq + 1))
    };
    // Whatever clock the time is shown by, this one is the same for all.
    let utc = move || now.read().datetime.replace('T', " ").replace('Z', " UTC");
    let label = {
        let name = name.clone();
        move || format!("{name}, {}", now.read().time)
    };
    // What others say is here because it was sent.
    let sending = move || own && matches!(now.read().mark, Mark::Waiting | Mark::Sending);
    view! {
        <article class="message" class:lead=move || now.read().lead class:own=own class:sending=sending id=id tabindex="-1" aria-label=label>
            <span class=format!("chip hue-{hue}") aria-hidden="true">{initial(&name)}</span>
            <header>
                <span class=format!("author hue-{hue}") dir="auto">{name}</span>
                <a class="permalink" href=permalink rel="nofollow" tabindex="-1">
                    <time datetime=move || now.read().datetime.clone() title=utc>{move || now.read().time.clone()}</time>
                </a>
            </header>
            {own.then(|| view! { <Sending now/> })}
            <div class="text" dir="auto"><MessageText text=first.text/></div>
            {own.then(|| view! { <Failed now client_id store/> })}
        </article>
    }
    .into_any()
}

/// A clock until it is sent.
#[component]
fn Sending(now: Memo<MessageRow>) -> impl IntoView {
    let waiting = move || now.read().mark == Mark::Waiting;
    let sending = move || waiting() || now.read().mark == Mark::Sending;
    let state = move || {
        if waiting() {
            "Waiting to be sent"
        } else {
            "Sending"
        }
    };
    view! {
        <span class="mark icon icon-clock" role="img" aria-label=state title=state hidden=move || !sending()></span>
    }
    .into_any()
}

/// Why it was not sent, and what can be done.
#[component]
fn Failed(now: Memo<MessageRow>, client_id: Option<ClientId>, store: RoomStore) -> impl IntoView {
    let live = expect_context::<Live>();
    let failed = move || match &now.read().mark {
        Mark::Failed(failed) => Some(failed.clone()),
        _ => None,
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
            // The button goes, and the keyboard must not go with it.
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
            // What can never succeed is not tried again: it goes back to where it can be mended.
            let label = if hopeless { "Edit" } else { "Try again" };
            view! {
                <p class="failed" role="alert">
                    <span class="icon icon-alert" aria-hidden="true"></span>
                    "Not sent. " {why} " "
                    <button type="button" class="link-button" on:click=move |_| if hopeless { edit() } else { retry() }>{label}</button>
                    <button type="button" class="link-button" on:click=move |_| { take(); }>"Discard"</button>
                </p>
            }
            .into_any()
        });
        failed.into_any()
    })
}
