//! "Ada left unsent text on this device", shown to the person who is signed in now.

use crate::components::Boxed;
use crate::signal::{BoxedSignal, BoxedValue};
use leptos::prelude::*;
use protocol::Person;

use super::{effect, maybe, reactive};
use crate::client::kept::{Left, left_by_others};
use crate::client::store::RoomStore;

/// Offers the unsent text of other people, one person at a time.
#[component]
pub fn LeftText(
    /// The signed-in person.
    you: Person,
    /// The room on screen.
    store: RoomStore,
) -> impl IntoView {
    let left = BoxedSignal::new(None::<Left>);
    let person = BoxedValue::new(you);
    let look = move || {
        left.set(None);
        person.with_value(|you| {
            left_by_others(you, move |found| {
                left.set(Some(found));
            });
        });
    };
    // Into the composer on screen, whichever room it was written for: that room may be gone.
    let keep = move || {
        if let Some(left) = left.get_untracked() {
            store.returned.set(left.text());
            left.discard();
        }
        look();
    };
    let discard = move || {
        if let Some(left) = left.get_untracked() {
            left.discard();
        }
        look();
    };
    effect(look);
    reactive(move || {
        let offer = left.get().map(|left| {
            view! {
                <p class="problem" role="status">
                    {format!("{} left unsent text on this device: ", left.name)}
                    <button type="button" class="link-button" on:click=move |_| keep()>"Use as draft"</button>
                    " "
                    <button type="button" class="link-button" on:click=move |_| discard()>"Discard"</button>
                </p>
            }
        });
        maybe(offer.map(Boxed::boxed))
    })
}
