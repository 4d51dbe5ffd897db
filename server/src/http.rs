//! The route table, in one screen.

mod api;
mod cache;
mod canonical;
mod client;
mod cors;
mod draft;
mod forms;
mod health;
mod kept;
mod next;
pub mod origin;
mod pages;
pub mod policy;
mod range;
pub mod render;
pub mod sorry;
pub mod target;

use axum::Router;
use axum::middleware::{from_fn_with_state, map_request, map_response};
use axum::routing::{any, get, post};
use tower::Layer;
use tower::util::BoxCloneSyncService;
use tower_http::limit::RequestBodyLimitLayer;

use crate::listener::app::App;
use crate::socket::route::route;
use crate::state::State;

/// Bytes of a form, at most: enough for a message of 8,000 four-byte characters, percent-encoded.
const FORM_BYTES: usize = 128 * 1024;

/// All routes over this state.
pub fn service(state: &State) -> App {
    let plain = Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .with_state(state.clone());

    let forms = Router::new()
        .route("/session", post(forms::sign_in).get(forms::lead_home))
        .route("/session/end", post(forms::sign_out).get(forms::lead_home))
        .route("/rooms", post(forms::create_room).get(forms::lead_home))
        .route(
            "/rooms/{slug}/messages",
            post(forms::post_message).get(forms::lead_to_room),
        )
        .route("/theme", post(forms::set_theme).get(forms::lead_home))
        .layer(RequestBodyLimitLayer::new(FORM_BYTES))
        .layer(from_fn_with_state(state.clone(), origin::check))
        .with_state(state.clone());

    let api = Router::new()
        .route("/api/v1/openapi.json", api::description())
        .route("/api/v1/{name}", api::command())
        .route("/api/v1", any(api::nothing))
        .route("/api/v1/", any(api::nothing))
        .route("/api/v1/{name}/", any(api::nothing))
        .route("/api/v1/{name}/{*rest}", any(api::nothing))
        .with_state(state.clone());

    let app = Router::new()
        .merge(plain)
        .merge(api)
        .merge(pages::routes(state))
        .merge(forms)
        .method_not_allowed_fallback(sorry::wrong_method);

    // The layers, from the inside out. Headers come last, so that every answer gets them.
    let app = from_fn_with_state(state.clone(), route).layer(app);
    let app = from_fn_with_state(state.clone(), client::serve).layer(app);
    let app = map_request(range::tidy).layer(app);
    let app = from_fn_with_state(state.clone(), cors::allow).layer(app);
    let app = from_fn_with_state(state.clone(), target::check).layer(app);
    let app = map_response(policy::add_headers).layer(app);
    BoxCloneSyncService::new(app)
}
