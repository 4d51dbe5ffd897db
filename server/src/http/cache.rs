//! The site's files: precompressed, and kept by browsers for as long as their names allow.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use tower_http::services::ServeDir;

use crate::state::State;

/// Files under `/pkg/` and `/vendor/` have their version in their name.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");
const NEVER: HeaderValue = HeaderValue::from_static("no-cache");

/// Serves the site's folder; `missing` answers for what is not there.
pub fn files(state: &State, missing: Router) -> Router {
    let files = ServeDir::new(&state.site.root)
        .precompressed_br()
        .precompressed_gzip()
        .append_index_html_on_directories(false)
        .fallback(missing);
    let hashed = state.site.options.hash_files;
    Router::new()
        .fallback_service(files)
        .layer(from_fn(move |request, next| label(hashed, request, next)))
}

async fn label(hashed: bool, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let cache = match path.split('/').nth(1) {
        Some("vendor") => FOREVER,
        Some("pkg") if hashed && !path.contains("__wasm_split") => FOREVER,
        Some("pkg") => NEVER,
        _ => HOUR,
    };
    let mut response = next.run(request).await;
    if response.status() != StatusCode::NOT_FOUND {
        response.headers_mut().insert(header::CACHE_CONTROL, cache);
    }
    response
}
