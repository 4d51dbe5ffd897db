//! One line of the list: a day, a quiet line, or a message.

use leptos::prelude::*;
use protocol::{Person, RoomSlug};

use super::{Message, sentence};
use crate::client::rows::Row;
use crate::client::store::{Line, RoomStore, is_own};

/// A line stays what it is; what it says can change.
#[component]
pub fn RowView(
    /// The line.
    line: Line,
    /// The room.
    store: RoomStore,
    /// Its address.
    room: RoomSlug,
    /// Who is looking.
    you: Option<Person>,
) -> impl IntoView {
    let row = line.row;
    match row.get_untracked() {
        Row::Day { date, .. } => {
            let label = move || match &*row.read() {
                Row::Day { label, .. } => label.clone(),
                _ => String::new(),
            };
            view! { <h2 class="day"><time datetime=date>{move || label()}</time></h2> }.into_any()
        }
        Row::Quiet { .. } => {
            let text = move || match &*row.read() {
                Row::Quiet { text, .. } => text.clone(),
                _ => String::new(),
            };
            view! { <p class="quiet">{move || sentence(&text())}</p> }.into_any()
        }
        Row::Message(message) => {
            let own = is_own(you.as_ref(), &message.author);
            view! { <Message first=*message row own store room/> }.into_any()
        }
    }
}
