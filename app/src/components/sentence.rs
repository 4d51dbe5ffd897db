//! A sentence with people's names in it.

use crate::components::Boxed;
use leptos::prelude::*;

use crate::client::names::{Part, parts};

/// Each name stands in an element of its own: its direction ends there, and it looks like a name.
pub fn sentence(text: &str) -> AnyView {
    let part = |part| match part {
        Part::Words(words) => words.to_owned().into_any(),
        Part::Name(name) => view! { <span class="name" dir="auto">{name.to_owned()}</span> }.boxed(),
    };
    parts(text).map(part).collect::<Vec<_>>().into_any()
}
