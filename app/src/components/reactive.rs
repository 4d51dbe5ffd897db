//! Effects and views whose code is compiled once. Leptos' generic code is copied for each type of closure, and the
//! copies would make up most of the page's weight. So closures are boxed first, and passed to a function that is not
//! generic.

use leptos::prelude::*;

/// Runs in the browser after the first paint, and again when a signal that it read changes.
pub fn effect(run: impl FnMut() + 'static) {
    boxed(Box::new(run));
}

fn boxed(mut run: Box<dyn FnMut()>) {
    Effect::new(move |_: Option<()>| run());
}

/// Shows a view, and shows it anew when a signal that it read changes.
pub fn reactive(show: impl FnMut() -> AnyView + Send + 'static) -> AnyView {
    let show: Box<dyn FnMut() -> AnyView + Send> = Box::new(show);
    show.into_any()
}
