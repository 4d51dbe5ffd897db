//! Endpoints for operators: liveness, readiness and metrics.

use axum::extract;
use axum::response::IntoResponse;
use http::{StatusCode, header};

use crate::readiness::Ready;
use crate::state::State;

/// Liveness: the process runs.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Readiness: the parts of the process run, the storage takes writes, and the process is not stopping. Without Redis a
/// replica is ready, and says what is missing.
pub async fn readyz(extract::State(state): extract::State<State>) -> (StatusCode, String) {
    match state.readiness.check().await {
        Ok(Ready::Fully) => (StatusCode::OK, "ready\n".to_owned()),
        Ok(Ready::Alone) => (
            StatusCode::OK,
            "ready, but Redis fails: people on other replicas hear later\n".to_owned(),
        ),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
    }
}

/// Metrics in the OpenMetrics text format.
pub async fn metrics(extract::State(state): extract::State<State>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    state.metrics.redis_away.set(state.storage.misses_redis().into());
    ([(header::CONTENT_TYPE, kind)], state.metrics.encode())
}
