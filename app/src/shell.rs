//! The HTML document around the application. Rendered only on the server, as a function of the page's data.

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

/// The theme colours for the browser's own interface: `--ground` of the style sheet, light and dark.
const LIGHT: &str = "#f7f6f3";
const DARK: &str = "#16171a";

/// The script that starts the program. It is called with the URLs of the program's two files, and sent without comments
/// and indentation.
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

/// The script element that starts the program.
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

/// A value as a JavaScript literal for an inline script: nothing in it can end the script or begin a comment.
fn in_script(value: serde_json::Value) -> String {
    data::in_element(&value.to_string())
}

/// Escapes a text for the title element.
fn in_title(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// Counts the elements and comments before the page's data. If the browser finds another number, something has changed
/// the page. Text and attributes contain no `<`.
fn nodes(content: &str) -> usize {
    let before = content
        .find("<script type=\"application/json\"")
        .unwrap_or(content.len());
    // Leptos' comments contain something like a tag: `<!--<() />-->`.
    let opens = |pair: &[u8]| pair[0] == b'<' && (pair[1] == b'!' || pair[1].is_ascii_alphabetic());
    content.as_bytes()[..before]
        .windows(2)
        .filter(|pair| opens(pair))
        .count()
}

/// What is needed to render a document.
pub struct Document {
    /// Leptos' options.
    pub options: LeptosOptions,
    /// The URLs and contents of the site's files.
    pub assets: Assets,
    /// Public scheme and host of the site, without a trailing slash: `https://chat.example.org`.
    pub site: String,
    /// The page's address.
    pub address: Address,
    /// Who requests the page.
    pub visitor: Visitor,
    /// The page's data.
    pub page: PageData,
}

impl Document {
    /// Renders the document as HTML. `json` is the page's data from [`PageData::json`]. Only the inline scripts and the
    /// style sheet carry the nonce.
    ///
    /// All data is there, so this awaits nothing. The caller chooses the thread, which it occupies meanwhile.
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
                    // Not written by Leptos, whose comments between texts would be shown in a title.
                    <title inner_html=in_title(&head::title_of(&self.page))></title>
                    <meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content"/>
                    // Phones that turn numbers and dates into links would change the page before hydration.
                    <meta name="format-detection" content="telephone=no, date=no, address=no, email=no"/>
                    {colours(theme)}
                    {style(built.as_ref(), &options)}
                    <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                    <link rel="icon" href="/favicon.ico" sizes="32x32"/>
                    <link rel="apple-touch-icon" href="/icon-180.png"/>
                    <link rel="manifest" href="/manifest.webmanifest"/>
                    // The import map with socket.io-client must precede the first module script.
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

/// The theme colour for the browser's own interface.
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

/// Metadata for search engines and link previews. It contains no messages: those are only for people who open the page.
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
