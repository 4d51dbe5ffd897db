//! For those who run it: is it alive, is it ready, what does it do.

use axum::extract;
use axum::response::IntoResponse;
use http::{StatusCode, header};

use crate::state::State;

/// The process lives.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// The process can serve: its parts live, its storage takes writes, and it is not on its way out.
pub async fn readyz(extract::State(state): extract::State<State>) -> (StatusCode, String) {
    match state.readiness.check().await {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
    }
}

/// Figures in Prometheus' text format.
pub async fn metrics(extract::State(state): extract::State<State>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], state.metrics.encode())
}
