//! Sign in with a name. A plain form: the page that it leads back to knows who you are.

use leptos::prelude::*;

/// The form; `next` is where it leads.
#[component]
pub fn SignIn(
    /// The path to come back to.
    #[prop(into)]
    next: String,
) -> impl IntoView {
    view! {
        <form class="sign-in card" method="post" action="/session">
            <input type="hidden" name="next" value=next/>
            <label for="name">"Your name"</label>
            <div class="field-row">
                <input id="name" name="name" type="text" required autocomplete="nickname" placeholder="Ada" />
                <button class="button primary">"Join"</button>
            </div>
            <p class="hint">"No account needed. Everybody sees the name you choose."</p>
        </form>
    }
}
