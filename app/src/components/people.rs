//! The people who are present: a column beside the messages on wide screens, a disclosure on small ones.

use crate::components::Boxed;
use crate::signal::{BoxedSignal, ElementRef};
use leptos::ev::KeyboardEvent;
use leptos::html::Details;
use leptos::prelude::*;
use protocol::{Person, PresenceList};

use super::{effect, list, maybe};
use crate::client::hue::{hue, initial};
use crate::client::platform;
use crate::client::store::is_own;

/// "2 here", and the list.
#[component]
pub fn People(
    /// The people who are present.
    people: BoxedSignal<PresenceList>,
    /// The signed-in person.
    you: Option<Person>,
) -> impl IntoView {
    let details = ElementRef::<Details>::default();
    effect(move || {
        // On wide screens the style sheet shows the closed disclosure's content. Older browsers cannot, so open it.
        if platform::matches("(min-width: 60rem)")
            && !platform::css_supports("selector(::details-content)")
            && let Some(details) = details.get()
        {
            details.set_open(true);
        }
    });
    let pressed = move |event: KeyboardEvent| {
        // On wide screens the list is always open.
        if event.key() == "Escape"
            && !platform::matches("(min-width: 60rem)")
            && let Some(details) = details.get_untracked()
            && details.open()
        {
            details.set_open(false);
            platform::focus(&[".people > summary"]);
        }
    };
    let entry = move |person: Person| {
        let own = is_own(you.as_ref(), &person);
        let name = person.name.to_string();
        view! {
            <li>
                <span class=format!("chip small hue-{}", hue(&person.id)) aria-hidden="true">{initial(&name)}</span>
                <span class="person-name" dir="auto">{name}</span>
                {maybe(own.then(|| view! { <span class="you">"you"</span> }.boxed()))}
            </li>
        }
        .boxed()
    };
    // A person with a new name becomes a new entry.
    let key = |person: &Person| format!("{} {}", person.id, person.name);
    let entries = list(move || people.get().people, key, entry);
    let here = move || people.with(|people| people.here);
    // One line for all of it, to keep the page small.
    let hint = move || people.with(hint);
    view! {
        <aside class="beside">
            <details class="people" aria-label="Who is here" node_ref=details on:keydown=pressed>
                <summary><span class="here"><span class="icon icon-people" aria-hidden="true"></span>{move || format!("{} here", here())}</span></summary>
                <div class="people-panel">
                    <ul aria-label="People">
                        {entries}
                    </ul>
                    <p class="hint" hidden=move || hint().is_empty()>{hint}</p>
                </div>
            </details>
        </aside>
    }
    .boxed()
}

/// What the list does not show.
fn hint(people: &PresenceList) -> String {
    let unnamed = people.here.saturating_sub(people.people.len() as u32);
    match (people.stale, people.here, unnamed) {
        (true, ..) => "This list may be out of date.".to_owned(),
        (_, 0, _) => "Nobody is here right now.".to_owned(),
        (_, _, 0) => String::new(),
        (_, _, unnamed) => format!("and {unnamed} more"),
    }
}
