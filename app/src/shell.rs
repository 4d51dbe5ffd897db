//! The document around the application. Rendered on the server only.

use leptos::attr::custom::custom_attribute;
use leptos::config::LeptosOptions;
use leptos::hydration::{AutoReload, HydrationScripts};
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::{HashedStylesheet, MetaTags, provide_meta_context};

use crate::App;
use crate::data::{self, Page};
use crate::head;
use crate::visitor::{Assets, Built, Theme, Visitor};

/// The colour of the browser's own frame, light and dark: `--ground` of the style sheet.
const LIGHT: &str = "#f7f6f3";
const DARK: &str = "#16171a";

/// Called with the addresses of the program's two files, it starts the program.
const START: &str = include_str!("start.js");

/// The style sheet.
fn style(built: Option<&Built>, options: &LeptosOptions) -> AnyView {
    match built {
        Some(built) => {
            view! { <style nonce=use_nonce() inner_html=built.style.to_string()></style> }.into_any()
        }
        None => view! { <HashedStylesheet options=options.clone() id="hubbub"/> }.into_any(),
    }
}

/// What starts the program.
fn program(built: Option<&Built>, options: LeptosOptions) -> AnyView {
    match built {
        Some(Built { script, program, .. }) => {
            let files = [script, program].map(|file| in_script(serde_json::json!(&**file)));
            let start = format!("{START}({});", files.join(", "));
            view! { <script type="module" nonce=use_nonce() inner_html=start></script> }.into_any()
        }
        None => view! { <HydrationScripts options/> }.into_any(),
    }
}

/// A value as it may stand in a script. It is the server's own, but nothing in it may end the script.
fn in_script(value: serde_json::Value) -> String {
    value.to_string().replace('<', "\\u003c")
}

/// The page's data, for the browser to start from.
fn data_element(page: Page) -> impl IntoView {
    let json = serde_json::to_string(&page).unwrap_or_default();
    // It stands inside an element of raw text: nothing in it may end that.
    let json = json.replace('<', "\\u003c");
    view! { <script type="application/json" id=data::ELEMENT inner_html=json></script> }
}

/// The whole document. Wants [`Visitor`] and [`Assets`] in its context, and [`Page`] where there is one.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    provide_meta_context();
    let page = use_context::<Page>();
    let description = page.as_ref().and_then(head::description);
    let theme = use_context::<Visitor>().unwrap_or_default().theme;
    let Assets { socket_io, built } = use_context().unwrap_or_default();
    let imports = in_script(serde_json::json!({ "imports": { "socket.io-client": &*socket_io } }));
    let colours = match theme {
        Theme::Light => view! { <meta name="theme-color" content=LIGHT/> }.into_any(),
        Theme::Dark => view! { <meta name="theme-color" content=DARK/> }.into_any(),
        Theme::Auto => [
            (LIGHT, "(prefers-color-scheme: light)"),
            (DARK, "(prefers-color-scheme: dark)"),
        ]
        .map(|(colour, media)| {
            view! { <meta name="theme-color" content=colour/> }.add_any_attr(custom_attribute("media", media))
        })
        .into_any(),
    };
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme.as_str()>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content"/>
                {colours}
                {style(built.as_ref(), &options)}
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="manifest" href="/manifest.webmanifest"/>
                // Before the first module script: it says where that finds socket.io-client.
                <script type="importmap" nonce=use_nonce() inner_html=imports></script>
                <AutoReload options=options.clone()/>
                {program(built.as_ref(), options)}
                {description.map(|content| view! { <meta name="description" content=content/> })}
                <MetaTags/>
            </head>
            <body>
                <App/>
                {page.map(data_element)}
            </body>
        </html>
    }
}
