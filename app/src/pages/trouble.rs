//! The page for a server that cannot answer now.

use crate::components::Boxed;
use leptos::prelude::*;

use crate::components::TopBar;
use crate::head;

/// A page with status 503 that says what to do.
#[component]
pub fn Trouble() -> impl IntoView {
    head::title(|| "Just a moment · Hubbub".to_owned());
    view! {
        <TopBar/>
        <main id="main" class="notice-page">
            <p class="notice-code">"503"</p>
            <h1>"Just a moment"</h1>
            <p>"The server cannot reach its storage. Nothing you sent is lost. This page loads again by itself."</p>
            <p class="notice-links">
                <a class="button primary" href="" rel="external">"Reload"</a>
                <a class="button" href="/">"All rooms"</a>
            </p>
        </main>
    }
    .boxed()
}
