//! Who you are, and how to stop being it.

use leptos::prelude::*;
use protocol::Person;

use crate::client::hue::{hue, initial};

/// "Signed in as Ada", and a way out.
#[component]
pub fn Session(
    /// Who.
    you: Person,
    /// Where signing out leads.
    #[prop(into)]
    next: String,
) -> impl IntoView {
    let name = you.name.to_string();
    view! {
        <form class="session card" method="post" action="/session/end">
            <input type="hidden" name="next" value=next/>
            <span class=format!("chip hue-{}", hue(&you.id)) aria-hidden="true">{initial(&name)}</span>
            <p>"Signed in as " <strong><bdi>{name}</bdi></strong></p>
            <button class="button">"Sign out"</button>
        </form>
    }
    .into_any()
}
