//! The page for an unknown address.

use crate::components::Boxed;
use leptos::prelude::*;

use crate::components::TopBar;
use crate::head;

/// A page with status 404, with links to continue.
#[component]
pub fn NotFound() -> impl IntoView {
    head::title(|| "Not found · Hubbub".to_owned());
    view! {
        <TopBar/>
        <main id="main" class="notice-page">
            <p class="notice-code">"404"</p>
            <h1>"Page not found"</h1>
            <p>"Check the address, find the room in the list, or create it."</p>
            <p class="notice-links">
                <a class="button primary" href="/">"All rooms"</a>
                <a class="button" href="/rooms/lobby">"Go to the lobby"</a>
            </p>
        </main>
    }
    .boxed()
}
