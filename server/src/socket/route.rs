//! Decides which requests belong to Socket.IO.

use axum::extract::{self, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::server::PATH;
use crate::engine;
use crate::http::origin;
use crate::state::State;

/// Handles the requests that belong to Socket.IO, if their origin is allowed.
pub async fn route(extract::State(state): extract::State<State>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path != PATH && !path.starts_with("/socket.io/") {
        return next.run(request).await;
    }
    if !origin::allowed(request.headers(), &state.origins) {
        return (
            StatusCode::FORBIDDEN,
            "pages of this origin may not connect; allow it in HUBBUB_ORIGINS\n",
        )
            .into_response();
    }
    if state.readiness.draining() {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            "the server is stopping; try again in a moment\n",
        )
            .into_response();
    }
    engine::answer(&state.sockets.engine, request).await
}
