//! A sentence that contains people's names.

use crate::components::Boxed;
use client::names::{Part, parts};
use leptos::prelude::*;

/// Shows each name in an element of its own, which isolates its text direction and makes it look like a name.
pub fn sentence(text: &str) -> AnyView {
    let part = |part| match part {
        Part::Text(text) => text.to_owned().into_any(),
        Part::Name(name) => view! { <span class="name" dir="auto">{name.to_owned()}</span> }.boxed(),
    };
    parts(text).map(part).collect::<Vec<_>>().into_any()
}
