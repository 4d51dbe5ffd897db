//! The WebAssembly entry point.

use wasm_bindgen::prelude::wasm_bindgen;

/// Hydrates the page that the server rendered. `start.js` calls this once.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(app::App);
}

/// Renders the page from its data. `start.js` calls this instead if the server's elements were changed; it has removed
/// them.
#[wasm_bindgen]
pub fn render() {
    console_error_panic_hook::set_once();
    leptos::mount::mount_to_renderer(&leptos::tachys::dom::body(), app::App).forget();
}
