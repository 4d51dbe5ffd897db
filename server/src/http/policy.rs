//! The headers that every answer carries: what browsers may do with it.

use app::Nonce;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

/// Nothing may be loaded, run or framed: right for every answer that is not a page.
const NOTHING: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

pub fn nonce() -> String {
    Nonce::new().to_string()
}

/// Sets the policy of a page, with the nonce of its inline scripts and style.
pub fn set_for_page(headers: &mut HeaderMap, nonce: &str) {
    let policy = format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; \
         img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    let policy = HeaderValue::try_from(policy).unwrap_or(NOTHING);
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    // A page shows who is signed in, so no shared cache may keep it.
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-cache"),
    );
}

/// Adds the headers that every answer carries: pages, files, forms, metrics, Socket.IO, errors and redirects.
pub async fn add_headers(mut response: Response) -> Response {
    const ALWAYS: [(HeaderName, HeaderValue); 4] = [
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            HeaderValue::from_static("same-origin"),
        ),
        (
            HeaderName::from_static("permissions-policy"),
            HeaderValue::from_static("camera=(), microphone=(), geolocation=()"),
        ),
    ];
    // A handler may set its own values for these.
    const UNLESS: [(HeaderName, HeaderValue); 3] = [
        (header::CONTENT_SECURITY_POLICY, NOTHING),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("same-origin"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    // The connection is now a WebSocket and carries no document.
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return response;
    }
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, value);
    }
    for (name, value) in UNLESS {
        headers.entry(name).or_insert(value);
    }
    response
}
