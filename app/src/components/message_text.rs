//! The text of a message: plain text with links.

use crate::components::Boxed;
use leptos::prelude::*;

use crate::client::links::{Piece, pieces};

/// Line breaks are kept; markup is shown as text.
#[component]
pub fn MessageText(
    /// The text.
    text: String,
) -> impl IntoView {
    pieces(&text)
        .into_iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.into_any(),
            Piece::Link(link) => {
                let href = link.clone();
                view! { <a href=href rel="noopener nofollow ugc" target="_blank">{link}</a> }.boxed()
            }
        })
        .collect::<Vec<_>>()
}
