//! The connection status.

use crate::components::Boxed;
use leptos::prelude::*;

use crate::client::live::Live;

/// A dot and a few words. Empty before the first connection.
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
