//! The button that cycles through the themes. A plain form; with scripts the page stays.

use crate::components::Boxed;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use crate::client::navigation::Navigation;
use crate::client::platform;
use crate::visitor::{PageTheme, Theme};

/// Shows the current theme and switches to the next.
#[component]
pub fn ThemeSwitch() -> impl IntoView {
    let PageTheme(theme) = expect_context::<PageTheme>();
    let navigation = expect_context::<Navigation>();
    let switch = move |event: SubmitEvent| {
        event.prevent_default();
        let next = theme.get_untracked().next();
        platform::post(
            "/theme",
            &format!("theme={}&next=/", next.as_str()),
            Box::new(|| ()),
        );
        platform::set_page_theme(next.as_str());
        theme.set(next);
    };
    view! {
        <form class="theme-switch" method="post" action="/theme" on:submit=switch>
            <input type="hidden" name="theme" value=move || theme.get().next().as_str().to_owned()/>
            <input type="hidden" name="next" value=move || navigation.path()/>
            <button class="icon-button" aria-label=move || label(theme.get()) title=move || label(theme.get())>
                <span class=move || format!("icon icon-{}", theme.get().as_str()) aria-hidden="true"></span>
            </button>
        </form>
    }
    .boxed()
}

fn label(theme: Theme) -> String {
    format!("Theme: {}. Switch to {}.", name(theme), name(theme.next()))
}

fn name(theme: Theme) -> &'static str {
    match theme {
        Theme::Auto => "system",
        Theme::Light => "light",
        Theme::Dark => "dark",
    }
}
