//! Answers without a page: short, made of nothing, and with a way on. A browser shows them; a program reads the status.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

/// Seconds after which a server that is busy may be asked again.
const BUSY_SECONDS: u64 = 2;

/// An address asks for more pages than a person reads.
pub fn too_many(wait: Duration) -> Response {
    // A whole second at least: a browser that is told zero would come back at once.
    let seconds = wait.as_millis().div_ceil(1_000).max(1);
    retry(
        StatusCode::TOO_MANY_REQUESTS,
        "Too many pages",
        "Your network asks for pages faster than anybody reads. Wait a moment, then load this page again.",
        u64::try_from(seconds).unwrap_or(BUSY_SECONDS),
    )
}

/// Too many pages are being rendered.
pub fn busy() -> Response {
    retry(
        StatusCode::SERVICE_UNAVAILABLE,
        "One moment, please",
        "The server has many pages to make. Wait a moment, then load this page again.",
        BUSY_SECONDS,
    )
}

/// The storage does not answer.
pub fn no_storage() -> Response {
    retry(
        StatusCode::SERVICE_UNAVAILABLE,
        "One moment, please",
        "Hubbub cannot reach its storage. Nothing that was sent is lost. Wait a moment, then load this page again.",
        BUSY_SECONDS,
    )
}

/// A request that no page of ours and no program that works sends.
pub fn bad_request(sentence: &'static str) -> Response {
    (StatusCode::BAD_REQUEST, format!("{sentence}\n")).into_response()
}

/// The address is one of ours, but not for this. `Allow` says for what it is.
pub async fn wrong_method() -> (StatusCode, &'static str) {
    let sentence = "this address is asked in another way; the Allow header says how\n";
    (StatusCode::METHOD_NOT_ALLOWED, sentence)
}

/// The name by which the server was asked for is none of its names.
pub fn misdirected() -> Response {
    html(
        StatusCode::MISDIRECTED_REQUEST,
        "Unknown address",
        "This Hubbub does not know that it is reached under this name. Whoever runs it sets HUBBUB_URL to its public \
         address, such as https://chat.example.org, and restarts it.",
    )
}

fn retry(status: StatusCode, title: &str, sentence: &str, seconds: u64) -> Response {
    let mut response = html(status, title, sentence);
    response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    response
}

/// Both texts are ours: nothing in them needs to be escaped.
fn html(status: StatusCode, title: &str, sentence: &str) -> Response {
    let body = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{title} · Hubbub</title></head>\
         <body><main><h1>{title}</h1><p>{sentence}</p></main></body></html>\n"
    );
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    (status, headers, body).into_response()
}
