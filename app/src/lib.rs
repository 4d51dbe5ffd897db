//! Hubbub's user interface: the same code renders the page on the server and takes it over in the browser.
//!
//! In reading order: [`visitor`] (what a request brings along), [`data`] (what a page shows, one server function per
//! page), [`problem`] (what a refused form says), [`pages`], [`components`], and [`client`], the live part.

// A view is one nested type until it is boxed.
#![recursion_limit = "256"]

pub mod client;
pub mod components;
pub mod data;
pub mod pages;
pub mod problem;
#[cfg(feature = "ssr")]
mod shell;
pub mod status;
pub mod visitor;

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::{SsrMode, path};

pub use problem::Problem;
#[cfg(feature = "ssr")]
pub use shell::shell;
pub use visitor::{Assets, Theme, Visitor};

use client::live::Live;
use pages::{Front, NotFound, Room};

/// The whole application. What outlives a page lives in its contexts.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    provide_context(Live::new());
    provide_context(visitor::PageTheme::of_page());
    view! {
        <Router>
            <FlatRoutes fallback=NotFound>
                <Route path=path!("/") view=Front ssr=SsrMode::Async/>
                <Route path=path!("/rooms/:slug") view=Room ssr=SsrMode::Async/>
            </FlatRoutes>
        </Router>
    }
}
