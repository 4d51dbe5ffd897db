//! Sign in with a name. A plain form: the page that it leads back to knows who you are.

use crate::components::Boxed;
use crate::signal::{BoxedSignal, ElementRef};
use leptos::ev::SubmitEvent;
use leptos::html::Input;
use leptos::prelude::*;
use protocol::DisplayName;

use crate::client::platform;
use crate::problem::{OFFLINE, Problem};

/// The form; `next` is where it leads.
#[component]
pub fn SignIn(
    /// The path to come back to.
    #[prop(into)]
    next: String,
) -> impl IntoView {
    let input = ElementRef::<Input>::default();
    let refused = BoxedSignal::new("");
    // What the server would refuse is refused here, where the text stays in the field.
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
