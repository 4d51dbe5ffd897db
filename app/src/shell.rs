//! The document around the application. Rendered on the server only: a function of what the page shows.

use leptos::attr::custom::custom_attribute;
use leptos::config::LeptosOptions;
use leptos::hydration::{AutoReload, HydrationScripts};
use leptos::nonce::{Nonce, use_nonce};
use leptos::prelude::*;
use leptos_meta::HashedStylesheet;

use crate::data::{self, PageData};
use crate::head;
use crate::visitor::{Assets, Built, Theme, Visitor};
use crate::{Address, App};

/// The colour of the browser's own frame, light and dark: `--ground` of the style sheet.
const LIGHT: &str = "#f7f6f3";
const DARK: &str = "#16171a";

/// Called with the addresses of the program's two files, it starts the program. Its comments and indentation do not
/// travel.
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
            let lines = START
                .lines()
                .map(str::trim)
                .filter(|line| !line.starts_with("//"));
            let start = format!("{}({});", lines.collect::<Vec<_>>().join("\n"), files.join(", "));
            view! { <script type="module" nonce=use_nonce() inner_html=start></script> }.into_any()
        }
        None => view! { <HydrationScripts options/> }.into_any(),
    }
}

/// A value as it may stand in a script: nothing in it can end the script or begin a comment.
fn in_script(value: serde_json::Value) -> String {
    data::in_element(&value.to_string())
}

/// A text as it stands in the title.
fn in_title(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// How many elements and comments there are before the page's data: where the browser finds another number, somebody
/// has changed the page. Text and attributes hold no `<`.
fn nodes(content: &str) -> usize {
    let before = content
        .find("<script type=\"application/json\"")
        .unwrap_or(content.len());
    // Leptos' comments hold something like a tag: `<!--<() />-->`.
    let opens = |pair: &[u8]| pair[0] == b'<' && (pair[1] == b'!' || pair[1].is_ascii_alphabetic());
    content.as_bytes()[..before]
        .windows(2)
        .filter(|pair| opens(pair))
        .count()
}

/// What a document is made of.
pub struct Document {
    /// How Leptos was built.
    pub options: LeptosOptions,
    /// Where the site's files are.
    pub assets: Assets,
    /// The scheme and host that the site is known by, without a slash at the end: `https://chat.example.org`.
    pub site: String,
    /// Which page it is.
    pub address: Address,
    /// Who asks, and how they like it.
    pub visitor: Visitor,
    /// What the page shows.
    pub page: PageData,
}

impl Document {
    /// The document as HTML, with the page's data as [`PageData::json`] writes it. Its inline scripts and style carry this nonce;
    /// nothing else in it does.
    ///
    /// Everything that the page shows is here already: nothing is awaited, and whoever calls this decides on which thread
    /// it runs and for how long others wait for that.
    pub fn render(self, json: String, nonce: &str) -> String {
        let owner = Owner::new_root(Some(std::sync::Arc::new(
            hydration_context::SsrSharedContext::new(),
        )));
        let html = owner.with(|| {
            provide_context(Nonce::from_value(nonce));
            provide_context(self.page.clone());
            provide_context(self.address.clone());
            provide_context(self.visitor.clone());
            self.shell(json).to_html()
        });
        owner.unset_with_forced_cleanup();
        html
    }

    fn shell(self, json: String) -> impl IntoView {
        let Self {
            options,
            assets: Assets { socket_io, built },
            ..
        } = self;
        let theme = self.visitor.theme;
        let imports = in_script(serde_json::json!({ "imports": { "socket.io-client": &*socket_io } }));
        let content = view! {
            <App/>
            <script type="application/json" id=data::ELEMENT inner_html=json></script>
        };
        let content = content.to_html();
        view! {
            <!DOCTYPE html>
            <html lang="en" data-theme=theme.as_str()>
                <head>
                    <meta charset="utf-8"/>
                    // Its text ends at its own end only, and marks between texts would be shown: Leptos must not write it.
                    <title inner_html=in_title(&head::title_of(&self.page))></title>
                    <meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content"/>
                    // A telephone that makes links of what looks like a number or a date changes the page before the
                    // program takes it over.
                    <meta name="format-detection" content="telephone=no, date=no, address=no, email=no"/>
                    {colours(theme)}
                    {style(built.as_ref(), &options)}
                    <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                    <link rel="icon" href="/favicon.ico" sizes="32x32"/>
                    <link rel="apple-touch-icon" href="/icon-180.png"/>
                    <link rel="manifest" href="/manifest.webmanifest"/>
                    // Before the first module script: it says where that finds socket.io-client.
                    <script type="importmap" nonce=use_nonce() inner_html=imports></script>
                    <AutoReload options=options.clone()/>
                    {program(built.as_ref(), options)}
                    {about(&self.page, &self.address, &self.site)}
                </head>
                <body data-nodes=nodes(&content) inner_html=content></body>
            </html>
        }
    }
}

/// The colour of the browser's own frame.
fn colours(theme: Theme) -> AnyView {
    match theme {
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
    }
}

/// What search engines and those who preview a link are told. Messages are not: they are for who opens the page.
fn about(page: &PageData, address: &Address, site: &str) -> AnyView {
    let Some(description) = head::description(page) else {
        return view! { <meta name="robots" content="noindex"/> }.into_any();
    };
    let property = |name: &'static str, content: String| {
        view! { <meta content=content/> }
            .add_any_attr(custom_attribute("property", name))
            .into_any()
    };
    let canonical = format!("{site}{}", address.route());
    view! {
        <meta name="description" content=description.clone()/>
        <link rel="canonical" href=canonical.clone()/>
        {[
            property("og:site_name", "Hubbub".to_owned()),
            property("og:type", "website".to_owned()),
            property("og:title", head::title_of(page)),
            property("og:description", description),
            property("og:url", canonical),
            property("og:image", format!("{site}/icon-512.png")),
        ]}
    }
    .into_any()
}

#[cfg(test)]
mod tests;
