//! The official Socket.IO client, at the addresses where pages made for Socket.IO's own server expect it.

use axum::Router;
use axum::extract::{self, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use tower::ServiceExt;
use tower_http::services::ServeDir;

use crate::state::State;

/// The builds of the client. They are in a folder of the same name in the site.
const FILES: [&str; 8] = [
    "/socket.io/socket.io.js",
    "/socket.io/socket.io.js.map",
    "/socket.io/socket.io.min.js",
    "/socket.io/socket.io.min.js.map",
    "/socket.io/socket.io.esm.min.js",
    "/socket.io/socket.io.esm.min.js.map",
    "/socket.io/socket.io.msgpack.min.js",
    "/socket.io/socket.io.msgpack.min.js.map",
];

/// Answers requests for a build of the client.
pub async fn serve(extract::State(state): extract::State<State>, request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if !reads || !FILES.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let version = version(&state.site.assets.socket_io);
    let known = request.headers().get_all(header::IF_NONE_MATCH).into_iter();
    let known = known
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','));
    let mut response = if known.map(str::trim).any(|tag| tag == version) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let files = ServeDir::new(&state.site.root)
            .precompressed_br()
            .precompressed_gzip()
            .fallback(Router::new().fallback(missing));
        match files.oneshot(request).await {
            Ok(response) => response.into_response(),
            Err(never) => match never {},
        }
    };
    label(response.status(), response.headers_mut(), &version);
    response
}

async fn missing() -> (StatusCode, &'static str) {
    let sentence =
        "this site was built without the Socket.IO client's files; run scripts/setup.sh and rebuild it\n";
    (StatusCode::NOT_FOUND, sentence)
}

/// The client's version as an entity tag, taken from the file name of the build that our own pages use.
fn version(socket_io: &str) -> String {
    let name = socket_io.rsplit('/').next().unwrap_or_default();
    let version = name
        .strip_prefix("socket.io-")
        .and_then(|name| name.strip_suffix(".js"));
    // Weak, because the tag covers all content codings.
    format!("W/\"{}\"", version.unwrap_or_default())
}

fn label(status: StatusCode, headers: &mut HeaderMap, version: &str) {
    if !matches!(
        status,
        StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED
    ) {
        return;
    }
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=0, must-revalidate"),
    );
    if let Ok(version) = HeaderValue::try_from(version) {
        headers.insert(header::ETAG, version);
    }
    // These public files contain nothing of ours, so pages of any origin may load them.
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_in_the_tag() {
        assert_eq!(version("/vendor/socket.io-4.8.4.js"), "W/\"4.8.4\"");
        assert_eq!(version(""), "W/\"\"");
    }
}
