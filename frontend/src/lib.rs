//! The WebAssembly entry point: takes over the page that the server rendered.

use wasm_bindgen::prelude::wasm_bindgen;

/// Called once by the page's script.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(app::App);
}

/// Called instead, if the page is not what the server rendered any more: its elements are gone, its data is there.
#[wasm_bindgen]
pub fn render() {
    console_error_panic_hook::set_once();
    leptos::mount::mount_to_renderer(&leptos::tachys::dom::body(), app::App).forget();
}
