//! The bar at the top of every page except a room's.

use crate::components::Boxed;
use leptos::prelude::*;

use super::ThemeSwitch;

/// Skip link, name, theme.
#[component]
pub fn TopBar() -> impl IntoView {
    view! {
        <a class="skip" href="#main">"Skip to content"</a>
        <header class="top-bar">
            <a class="brand" href="/">
                <span class="brand-mark" aria-hidden="true"></span>
                "Hubbub"
            </a>
            <ThemeSwitch/>
        </header>
    }
    .boxed()
}
