//! What there is to say about the connection.

use crate::components::Boxed;
use leptos::prelude::*;

use crate::client::live::Live;

/// A dot and a word. Nothing before there was a connection, and nothing for those who need none.
#[component]
pub fn Connection() -> impl IntoView {
    let Live { link, .. } = expect_context();
    view! {
        <p class=move || format!("connection {}", link.get().class()) role="status">
            {move || link.get().sentence().to_owned()}
        </p>
    }
    .boxed()
}
