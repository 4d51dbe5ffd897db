//! What only a browser knows or can do.

use std::time::Duration;

use leptos::prelude::{
    document, request_animation_frame, set_timeout, window, window_event_listener,
    window_event_listener_untyped,
};
use protocol::Timestamp;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::client::json::Json;

/// Delay after which a hidden page shows what came in, in milliseconds.
const HIDDEN_MS: u64 = 250;

/// The current time.
pub fn now() -> Timestamp {
    Timestamp(js_sys::Date::now() as u64)
}

/// Minutes that local time is ahead of UTC at that moment, daylight saving time included.
pub fn offset(at: Timestamp) -> i32 {
    let date = js_sys::Date::new(&JsValue::from_f64(at.0 as f64));
    -(date.get_timezone_offset() as i32)
}

/// 128 unpredictable bits.
pub fn random() -> u128 {
    let mut bits = [0; 16];
    if let Ok(crypto) = window().crypto() {
        let _ = crypto.get_random_values_with_u8_array(&mut bits);
    }
    u128::from_le_bytes(bits)
}

/// True if the page is visible.
pub fn visible() -> bool {
    document().visibility_state() == web_sys::VisibilityState::Visible
}

/// True if a media query matches.
pub fn matches(query: &str) -> bool {
    window()
        .match_media(query)
        .ok()
        .flatten()
        .is_some_and(|list| list.matches())
}

/// Runs a closure with the first frame that is at least this many milliseconds away.
pub fn in_frame(ms: u64, run: impl FnOnce() + 'static) {
    if !visible() {
        // Browsers render no frames of a hidden page.
        set_timeout(run, Duration::from_millis(ms.max(HIDDEN_MS)));
    } else if ms == 0 {
        request_animation_frame(run);
    } else {
        set_timeout(move || in_frame(0, run), Duration::from_millis(ms));
    }
}

/// Runs a closure in a separate task. Called during a frame, that is after it is painted.
pub fn after_frame(run: impl FnOnce() + 'static) {
    set_timeout(run, Duration::ZERO);
}

/// The theme that the server wrote into the page.
pub fn page_theme() -> Option<String> {
    document().document_element()?.get_attribute("data-theme")
}

/// Removes and returns the data that the server wrote into the page. Only the first page has it.
pub fn take_page() -> Option<Json> {
    let element = document().get_element_by_id(crate::data::ELEMENT)?;
    element.remove();
    Json::parse(&element.text_content()?)
}

/// Sets the document's title.
pub fn set_title(title: &str) {
    document().set_title(title);
}

/// Sets the page's meta description.
pub fn set_description(description: &str) {
    if let Ok(Some(meta)) = document().query_selector("meta[name=description]") {
        let _ = meta.set_attribute("content", description);
    }
}

/// Fetches JSON. The answer is `None` if the server does not answer with JSON.
pub fn fetch(url: &str, answer: Box<dyn FnOnce(Option<Json>)>) {
    let response = window().fetch_with_str(url);
    leptos::task::spawn_local(async move { answer(body(response).await.ok()) });
}

async fn body(response: js_sys::Promise) -> Result<Json, JsValue> {
    let response: web_sys::Response = JsFuture::from(response).await?.unchecked_into();
    JsFuture::from(response.json()?).await.map(Json)
}

/// Changes the page's theme.
pub fn set_page_theme(theme: &str) {
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("data-theme", theme);
    }
}

/// Sends a form without leaving the page. Calls `done` when it is answered or has failed.
pub fn post(url: &str, form: &str, done: Box<dyn FnOnce()>) {
    let init = web_sys::RequestInit::new();
    init.set_method("POST");
    init.set_redirect(web_sys::RequestRedirect::Manual);
    init.set_body(&JsValue::from_str(form));
    if let Ok(request) = web_sys::Request::new_with_str_and_init(url, &init) {
        let _ = request
            .headers()
            .set("content-type", "application/x-www-form-urlencoded");
        let answer = window().fetch_with_request(&request);
        leptos::task::spawn_local(async move {
            let _ = JsFuture::from(answer).await;
            done();
        });
    }
}

/// Loads another document.
pub fn load(url: &str) {
    let _ = window().location().assign(url);
}

/// Loads the page again.
pub fn reload() {
    let _ = window().location().reload();
}

/// True if the browser supports a CSS condition.
pub fn css_supports(condition: &str) -> bool {
    web_sys::css::supports(condition).unwrap_or(true)
}

/// Runs a closure when the browser restores the page from its back/forward cache.
pub fn when_restored(run: impl Fn() + 'static) {
    window_event_listener_untyped("pageshow", move |event| {
        let event: web_sys::PageTransitionEvent = event.unchecked_into();
        if event.persisted() {
            run();
        }
    });
}

/// True if the device has a network, as far as the browser knows.
pub fn online() -> bool {
    window().navigator().on_line()
}

/// Refuses files that are dropped on the page, which would otherwise open in its place, and runs a closure.
pub fn refuse_files(run: impl Fn() + 'static) {
    let refuse = |event: &web_sys::DragEvent| {
        let files = transferred(event, "dataTransfer")
            .iter()
            .any(|kind| kind == "Files");
        if files {
            event.prevent_default();
        }
        files
    };
    window_event_listener(leptos::ev::dragover, move |event| {
        refuse(&event);
    });
    window_event_listener(leptos::ev::drop, move |event| {
        if refuse(&event) {
            run();
        }
    });
}

/// True if the clipboard holds files and no text.
pub fn only_files(event: &web_sys::ClipboardEvent) -> bool {
    let kinds = transferred(event, "clipboardData");
    kinds.iter().any(|kind| kind == "Files") && !kinds.iter().any(|kind| kind == "text/plain")
}

/// The types of the data that an event transfers.
fn transferred(event: &web_sys::Event, what: &str) -> Vec<JsValue> {
    let types = Json(event.into()).get(what).and_then(|data| data.get("types"));
    types.map_or_else(Vec::new, |Json(types)| js_sys::Array::from(&types).to_vec())
}
