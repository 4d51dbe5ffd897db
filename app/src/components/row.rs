//! One line of the message list: a day, people who came or went, or a message.

use crate::components::Boxed;
use leptos::prelude::*;
use protocol::{Person, RoomSlug};

use super::{Message, sentence};
use crate::client::rows::Row;
use crate::client::store::{Line, RoomStore, is_own};

/// A line never changes its kind, only its content.
#[component]
pub fn RowView(
    /// The line.
    line: Line,
    /// The room.
    store: RoomStore,
    /// The room's slug.
    room: RoomSlug,
    /// The signed-in person.
    you: Option<Person>,
) -> impl IntoView {
    let row = line.row;
    match row.with_untracked(Row::clone) {
        Row::Day { date, .. } => {
            let label = move || {
                row.with(|row| match row {
                    Row::Day { label, .. } => label.clone(),
                    _ => String::new(),
                })
            };
            view! { <h2 class="day"><time datetime=date>{move || label()}</time></h2> }.boxed()
        }
        Row::Quiet { .. } => {
            let text = move || {
                row.with(|row| match row {
                    Row::Quiet { text, .. } => text.clone(),
                    _ => String::new(),
                })
            };
            view! { <p class="quiet">{move || sentence(&text())}</p> }.boxed()
        }
        Row::Message(message) => {
            let own = is_own(you.as_ref(), &message.author);
            view! { <Message first=*message row own store room/> }.boxed()
        }
    }
}
