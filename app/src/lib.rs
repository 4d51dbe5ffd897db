//! Hubbub's user interface. The same code renders pages on the server and hydrates them in the browser.
//!
//! In reading order: [`visitor`] (who makes a request), [`route`] (which page an address is), [`data`] (what a page
//! shows), [`problem`] (why something was refused), [`pages`], [`components`], and [`client`], the live part.

// Unboxed views are deeply nested types.
#![recursion_limit = "256"]

pub mod client;
pub mod components;
pub mod data;
pub mod head;
pub mod pages;
pub mod route;
#[cfg(feature = "ssr")]
mod shell;
pub mod signal;
pub mod visitor;

use crate::components::Boxed;
use crate::signal::BoxedSignal;
use leptos::prelude::*;

pub use crate::client::returned::{self, Returned};
pub use ::client::problem;
pub use data::PageData;
#[cfg(feature = "ssr")]
pub use leptos::nonce::Nonce;
pub use route::Address;
#[cfg(feature = "ssr")]
pub use shell::Document;
pub use visitor::{Assets, Built, Theme, Visitor};

use crate::client::live::Live;
use crate::client::navigation::Navigation;

/// The whole application. Its contexts hold what outlives a page.
#[component]
pub fn App() -> impl IntoView {
    let navigation = Navigation::start();
    provide_context(navigation);
    let live = Live::new();
    provide_context(live);
    client::platform::refuse_files(move || {
        live.files_dropped.update(|count| *count += 1);
    });
    client::storage::on_refusal(move || live.obey_deletion());
    provide_context(visitor::PageTheme::of_page());
    let note = BoxedSignal::new("");
    let page = data::use_page(navigation, note);
    // On the first page the browser has set the focus itself, unless a form of ours led here.
    let mut led_here = client::platform::came_from_here();
    components::effect(move || {
        if page.with(Option::is_some) && std::mem::replace(&mut led_here, true) {
            client::platform::after_frame(|| {
                client::platform::restore_scroll();
                if client::platform::nothing_focused() {
                    client::platform::focus_composer("h1");
                }
            });
        }
        if let Some(description) = page.with(|page| page.as_ref().and_then(head::description)) {
            client::platform::set_description(&description);
        }
    });
    view! {
        <p class="page-note" role="status" hidden=move || note.get().is_empty()>{move || note.get().to_owned()}</p>
        {components::reactive(move || pages::view(page.get()))}
    }
    .boxed()
}
