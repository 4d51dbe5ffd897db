//! Effects and views that are compiled once, whatever they do or show: each kind of closure that meets Leptos'
//! machinery gets a copy of it, and the copies are what makes a page heavy. So the closures are boxed before, in a
//! function of its own: what is inside a generic function is copied as well.

use leptos::prelude::*;

/// Runs in the browser after the first paint, and again when a signal that it read has changed.
pub fn effect(run: impl FnMut() + 'static) {
    boxed(Box::new(run));
}

fn boxed(mut run: Box<dyn FnMut()>) {
    Effect::new(move |_: Option<()>| run());
}

/// What is shown now; again when a signal that it read has changed.
pub fn reactive(show: impl FnMut() -> AnyView + Send + 'static) -> AnyView {
    let show: Box<dyn FnMut() -> AnyView + Send> = Box::new(show);
    show.into_any()
}
