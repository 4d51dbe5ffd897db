//! The button that goes round the themes. A plain form; with scripts on the page stays.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::client::platform;
use crate::visitor::{PageTheme, Theme};

/// Shows the theme that is on, leads to the next.
#[component]
pub fn ThemeSwitch() -> impl IntoView {
    let PageTheme(theme) = expect_context::<PageTheme>();
    let path = use_location().pathname;
    let switch = move |event: SubmitEvent| {
        event.prevent_default();
        let next = theme.get_untracked().next();
        platform::post("/theme", &format!("theme={}&next=/", next.as_str()));
        platform::set_page_theme(next.as_str());
        theme.set(next);
    };
    let label = move || {
        let theme = theme.get();
        format!("Theme: {}. Switch to {}.", name(theme), name(theme.next()))
    };
    view! {
        <form class="theme-switch" method="post" action="/theme" on:submit=switch>
            <input type="hidden" name="theme" value=move || theme.get().next().as_str()/>
            <input type="hidden" name="next" value=move || path.get()/>
            <button class="icon-button" aria-label=label title=label>
                <span class=move || format!("icon icon-{}", theme.get().as_str()) aria-hidden="true"></span>
            </button>
        </form>
    }
    .into_any()
}

fn name(theme: Theme) -> &'static str {
    match theme {
        Theme::Auto => "as the system",
        Theme::Light => "light",
        Theme::Dark => "dark",
    }
}
