//! The site's files: precompressed, and cached by browsers as long as their names allow.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use tower::{Layer, ServiceExt};
use tower_http::services::ServeDir;

use crate::state::State;

/// Files under `/pkg/` and `/vendor/` have their version in their name.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");
/// Bytes of one segment of a path. The build's file names are shorter.
const PART_BYTES: usize = 128;
const NEVER: HeaderValue = HeaderValue::from_static("no-cache");

/// Serves the site's folder, and `missing` for paths without a file.
pub fn files(state: &State, missing: Router) -> Router {
    let files = ServeDir::new(&state.site.root)
        .precompressed_br()
        .precompressed_gzip()
        .append_index_html_on_directories(false)
        .fallback(missing.clone());
    let hashed = state.site.options.hash_files;
    let files = from_fn(move |request, next| label(hashed, request, next)).layer(files);
    let find = tower::service_fn(move |request: Request| {
        let (files, missing) = (files.clone(), missing.clone());
        async move {
            if may_be_a_file(request.uri().path()) {
                files.oneshot(request).await
            } else {
                missing.oneshot(request).await
            }
        }
    });
    Router::new().fallback_service(find)
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
    // Only successful answers may be cached.
    if matches!(
        response.status(),
        StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED
    ) {
        response.headers_mut().insert(header::CACHE_CONTROL, cache);
    }
    response
}

/// True if a file of the site can have this path. Others never reach the file system, which may choke on zero bytes,
/// long names and more.
fn may_be_a_file(path: &str) -> bool {
    path.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte))
        && path
            .split('/')
            .all(|part| part.len() <= PART_BYTES && part != "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_site_has_a_plain_name() {
        for path in [
            "/favicon.svg",
            "/pkg/hubbub.abc_-0.wasm",
            "/vendor/socket.io-4.8.1.js",
            "/",
        ] {
            assert!(may_be_a_file(path), "{path}");
        }
        for path in [
            "/%00",
            "/a%7F",
            "/%FF",
            "/../etc/passwd",
            "/a\\b",
            &format!("/{}", "a".repeat(256)),
        ] {
            assert!(!may_be_a_file(path), "{path}");
        }
    }
}
