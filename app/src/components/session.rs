//! The signed-in person, and signing out.

use std::time::Duration;

use crate::components::Boxed;
use crate::signal::BoxedSignal;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use protocol::Person;

use crate::client::hue::{hue, initial};
use crate::client::kept;
use crate::client::platform;
use crate::data::PageData;
use crate::problem::OFFLINE;

/// Shown to a person who signs out with unsent text.
const UNSENT: &str = "You have unsent messages or drafts on this device. Signing out deletes them.";

/// Shown if the server does not confirm that the session has ended.
const UNCONFIRMED: &str = "The server did not confirm the sign-out, so nothing was deleted. Try again.";

/// How long to wait for that confirmation.
const SLOW: Duration = Duration::from_secs(5);

/// "Signed in as Ada", with a button to sign out, which deletes unsent text from this device.
#[component]
pub fn Session(
    /// The signed-in person.
    you: Person,
    /// The path to load after signing out.
    #[prop(into)]
    next: String,
) -> impl IntoView {
    let name = you.name.to_string();
    let hue = hue(&you.id);
    let asked = BoxedSignal::new(false);
    let problem = BoxedSignal::new("");
    let submitted = {
        let next = next.clone();
        move |event: SubmitEvent| {
            event.prevent_default();
            if !platform::online() {
                return problem.set(OFFLINE);
            }
            let (id, next) = (you.id.clone(), next.clone());
            let leave = move || {
                problem.set("");
                set_timeout(move || problem.set(UNCONFIRMED), SLOW);
                // Delete unsent text only when the server confirms that the session has ended.
                let ended = move |answer: Option<PageData>| match answer {
                    Some(PageData::Front(front)) if front.you.as_ref().is_none_or(|you| you.id != id) => {
                        kept::forget(&id, move || platform::load(&next));
                    }
                    _ => problem.set(UNCONFIRMED),
                };
                let ask = move || {
                    platform::fetch(
                        "/api/",
                        Box::new(move |answer| ended(answer.and_then(|page| page.read()))),
                    )
                };
                platform::post("/session/end", "next=/", Box::new(ask));
            };
            if asked.get_untracked() {
                return leave();
            }
            kept::any(&you.id, move |any| {
                if any {
                    asked.set(true);
                    problem.set(UNSENT);
                } else {
                    leave();
                }
            });
        }
    };
    let cancelled = move |_| {
        asked.set(false);
        problem.set("");
    };
    view! {
        <form class="session card" method="post" action="/session/end" on:submit=submitted>
            <input type="hidden" name="next" value=next/>
            <span class=format!("chip hue-{hue}") aria-hidden="true">{initial(&name)}</span>
            <p class="signed-in">"Signed in as " <span class="session-name" dir="auto">{name}</span></p>
            <p class="problem" role="alert" hidden=move || problem.get().is_empty()>{move || problem.get().to_owned()}</p>
            <button class="button">{move || if asked.get() { "Delete them and sign out" } else { "Sign out" }.to_owned()}</button>
            <button type="button" class="button" on:click=cancelled>"Cancel"</button>
        </form>
    }
    .boxed()
}
