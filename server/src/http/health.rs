//! For those who run it: is it alive, is it ready, what does it do.

use std::time::Duration;

use axum::extract;
use axum::response::IntoResponse;
use http::{StatusCode, header};

use crate::state::State;

/// A backend that takes longer than this to answer is not ready.
const READY_WITHIN: Duration = Duration::from_secs(2);

/// The process lives.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// The backend answers and the process is not on its way out.
pub async fn readyz(extract::State(state): extract::State<State>) -> (StatusCode, &'static str) {
    if state.draining() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n");
    }
    match tokio::time::timeout(READY_WITHIN, state.hub.check()).await {
        Ok(Ok(())) => (StatusCode::OK, "ready\n"),
        Ok(Err(error)) => {
            tracing::error!(%error, "not ready: the storage fails");
            (StatusCode::SERVICE_UNAVAILABLE, "the storage fails\n")
        }
        Err(_) => {
            tracing::error!("not ready: the storage does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "the storage does not answer\n")
        }
    }
}

/// Figures in Prometheus' text format.
pub async fn metrics(extract::State(state): extract::State<State>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], state.metrics.encode())
}
