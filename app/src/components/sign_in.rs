//! The form to sign in with a name.

use crate::components::Boxed;
use crate::signal::{BoxedSignal, ElementRef};
use leptos::ev::SubmitEvent;
use leptos::html::Input;
use leptos::prelude::*;
use protocol::DisplayName;

use crate::client::platform;
use crate::problem::{OFFLINE, Problem};

/// A plain form that leads to `next`.
#[component]
pub fn SignIn(
    /// The path to load after signing in.
    #[prop(into)]
    next: String,
) -> impl IntoView {
    let input = ElementRef::<Input>::default();
    let refused = BoxedSignal::new("");
    // Refuse here what the server would refuse, so that the text stays in the field.
    let submitted = move |event: SubmitEvent| {
        let fits = input
            .get_untracked()
            .is_none_or(|input| DisplayName::try_from(input.value()).is_ok());
        refused.set(match (fits, platform::online()) {
            (false, _) => Problem::Name.sentence(),
            (true, false) => OFFLINE,
            (true, true) => "",
        });
        if !refused.get_untracked().is_empty() {
            event.prevent_default();
        }
    };
    view! {
        <form class="sign-in card" method="post" action="/session" on:submit=submitted>
            <input type="hidden" name="next" value=next/>
            <label for="name">"Your name"</label>
            <div class="field-row">
                <input id="name" name="name" type="text" dir="auto" required autocomplete="nickname" placeholder="Ada" node_ref=input/>
                <button class="button primary">"Join"</button>
            </div>
            <p class="problem" role="alert" hidden=move || refused.get().is_empty()>{move || refused.get().to_owned()}</p>
            <p class="hint">"No account needed. Everyone here will see this name."</p>
        </form>
    }
    .boxed()
}
