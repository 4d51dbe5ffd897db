//! Notices about problems that keep messages from being sent or stored, with a way out.

use crate::components::Boxed;
use crate::signal::BoxedSignal;
use leptos::prelude::*;

use super::{maybe, reactive};
use crate::client::live::Live;
use crate::client::platform;

/// Says why this page must be reloaded, and whether this browser cannot store unsent text.
#[component]
pub fn Notices(
    /// Why the room cannot continue, if it cannot.
    #[prop(optional)]
    over: Option<BoxedSignal<Option<String>>>,
) -> impl IntoView {
    let live = expect_context::<Live>();
    let why = move || match live.outdated.get() {
        true => Some("Hubbub was updated. Reload to continue.".to_owned()),
        false => live.apart.get().or_else(|| over?.get()),
    };
    let reload = reactive(move || {
        let problem = why().map(|why| {
            view! {
                <p class="problem" role="alert">
                    {why} " "
                    <button type="button" class="link-button" on:click=|_| platform::reload()>"Reload"</button>
                </p>
            }
        });
        maybe(problem.map(Boxed::boxed))
    });
    view! {
        {reload}
        <p class="problem" role="alert" hidden=move || !live.storage_fails.get()>
            {move || if live.storage_fails.get() { STORAGE_FAILS.to_owned() } else { String::new() }}
        </p>
    }
    .boxed()
}

const STORAGE_FAILS: &str =
    "This browser can't save unsent messages. Keep this tab open until they are sent.";
