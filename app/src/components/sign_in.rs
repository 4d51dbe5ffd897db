//! The form to sign in with a name.

use super::ProblemNote;
use crate::components::Boxed;
use crate::signal::{BoxedSignal, ElementRef};
use leptos::ev::SubmitEvent;
use leptos::html::Input;
use leptos::prelude::*;
use protocol::DisplayName;

use crate::client::platform;
use crate::client::returned::Returned;
use crate::problem::{OFFLINE, shown};

/// A plain form that leads to `next`.
#[component]
pub fn SignIn(
    /// The path to load after signing in.
    #[prop(into)]
    next: String,
    /// A refused name to correct.
    returned: Returned,
) -> impl IntoView {
    let input = ElementRef::<Input>::default();
    let problem = BoxedSignal::new(returned.why);
    // Refuse here what the server would refuse, so that the page stays.
    let submitted = move |event: SubmitEvent| {
        let name = input.get_untracked().map(|input| input.value());
        let why = match name.map(DisplayName::try_from) {
            Some(Err(invalid)) => shown(&invalid.to_string()),
            _ if !platform::online() => OFFLINE.to_owned(),
            _ => String::new(),
        };
        if !why.is_empty() {
            event.prevent_default();
        }
        problem.set(why);
    };
    view! {
        <form class="sign-in card" method="post" action="/session" on:submit=submitted>
            <input type="hidden" name="next" value=next/>
            <label for="name">"Your name"</label>
            <div class="field-row">
                <input id="name" name="name" type="text" dir="auto" required autocomplete="nickname" placeholder="Ada" value=returned.text node_ref=input/>
                <button class="button primary">"Join"</button>
            </div>
            <ProblemNote problem/>
            <p class="hint">"No account needed. Everyone here will see this name."</p>
        </form>
    }
    .boxed()
}
