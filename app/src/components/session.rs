//! The signed-in person, and signing out.

use std::time::Duration;

use super::ProblemNote;
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
    /// Why signing out was refused.
    why: String,
) -> impl IntoView {
    let name = you.name.to_string();
    let hue = hue(&you.id);
    let asked = BoxedSignal::new(false);
    let problem = BoxedSignal::new(why);
    let say = move |sentence: &str| problem.set(sentence.to_owned());
    let submitted = {
        let next = next.clone();
        move |event: SubmitEvent| {
            event.prevent_default();
            if !platform::online() {
                return say(OFFLINE);
            }
            let (id, next) = (you.id.clone(), next.clone());
            let leave = move || {
                say("");
                set_timeout(move || say(UNCONFIRMED), SLOW);
                // Delete unsent text only when the server confirms that the session has ended.
                let ended = move |answer: Option<PageData>| match answer {
                    Some(PageData::Front(front)) if front.you.as_ref().is_none_or(|you| you.id != id) => {
                        kept::forget(&id, asked.get_untracked(), next);
                    }
                    _ => say(UNCONFIRMED),
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
                    say(UNSENT);
                    // Enter, pressed twice or held, deletes nothing.
                    platform::after_frame(|| platform::focus(&[".session .button[type=button]"]));
                } else {
                    leave();
                }
            });
        }
    };
    let cancelled = move |_| {
        asked.set(false);
        say("");
    };
    view! {
        <form class="session card" method="post" action="/session/end" on:submit=submitted>
            <input type="hidden" name="next" value=next/>
            <span class=format!("chip hue-{hue}") aria-hidden="true">{initial(&name)}</span>
            <p class="signed-in">"Signed in as " <span class="session-name" dir="auto">{name}</span></p>
            <ProblemNote problem/>
            <button class="button">{move || if asked.get() { "Delete them and sign out" } else { "Sign out" }.to_owned()}</button>
            <button type="button" class="button" on:click=cancelled>"Cancel"</button>
        </form>
    }
    .boxed()
}
