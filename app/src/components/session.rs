//! Who you are, and how to stop being it.

use crate::components::Boxed;
use crate::signal::{BoxedSignal, ElementRef};
use leptos::ev::SubmitEvent;
use leptos::html::Form;
use leptos::prelude::*;
use protocol::Person;

use crate::client::hue::{hue, initial};
use crate::client::kept;
use crate::client::platform;
use crate::problem::OFFLINE;

/// What a person is asked who signs out with unsent words.
const UNSENT: &str =
    "You have messages or drafts on this device that are not sent. Signing out deletes them.";

/// "Signed in as Ada", and a way out. Nothing of what was written stays on the machine.
#[component]
pub fn Session(
    /// Who.
    you: Person,
    /// Where signing out leads.
    #[prop(into)]
    next: String,
) -> impl IntoView {
    let name = you.name.to_string();
    let hue = hue(&you.id);
    let form = ElementRef::<Form>::default();
    let asked = BoxedSignal::new(false);
    let problem = BoxedSignal::new("");
    let submitted = move |event: SubmitEvent| {
        event.prevent_default();
        if !platform::online() {
            return problem.set(OFFLINE);
        }
        let id = you.id.clone();
        let leave = move || {
            kept::forget(&id, move || {
                // Not `request_submit`: that would ask again.
                form.get_untracked().inspect(|form| {
                    form.submit().ok();
                });
            });
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
    };
    view! {
        <form class="session card" method="post" action="/session/end" node_ref=form on:submit=submitted>
            <input type="hidden" name="next" value=next/>
            <span class=format!("chip hue-{hue}") aria-hidden="true">{initial(&name)}</span>
            <p class="signed-in">"Signed in as " <span class="session-name" dir="auto">{name}</span></p>
            <p class="problem" role="alert" hidden=move || problem.get().is_empty()>{move || problem.get().to_owned()}</p>
            <button class="button">{move || if asked.get() { "Delete them and sign out" } else { "Sign out" }.to_owned()}</button>
        </form>
    }
    .boxed()
}
