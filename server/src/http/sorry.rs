//! Short answers that need neither storage nor renderer, with a way on. Browsers show them; programs read the status.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::api;

/// Seconds after which clients may retry while the server is busy: a random number in this range, so that they do not
/// return all at once.
const BUSY_SECONDS: (u64, u64) = (2, 6);

/// An address requests more pages than a person reads.
pub fn too_many(wait: Duration) -> Response {
    // Rounded up to at least one second: a browser that is told zero would retry at once.
    let seconds = wait.as_secs() + 1;
    retry(
        StatusCode::TOO_MANY_REQUESTS,
        "Too many requests",
        &format!(
            "Your network requested too many pages at once. This page loads again by itself in {seconds} s."
        ),
        seconds,
    )
}

/// Too many pages are being rendered.
pub fn busy() -> Response {
    retry(
        StatusCode::SERVICE_UNAVAILABLE,
        "Just a moment",
        "The server is busy. This page loads again by itself.",
        soon(),
    )
}

/// The storage does not answer.
pub fn no_storage() -> Response {
    retry(
        StatusCode::SERVICE_UNAVAILABLE,
        "Just a moment",
        "The server cannot reach its storage. Nothing you sent is lost. This page loads again by itself.",
        soon(),
    )
}

/// A malformed request, which no working client sends.
pub fn bad_request(path: &str, sentence: &'static str) -> Response {
    short(path, StatusCode::BAD_REQUEST, sentence)
}

/// The request's body did not arrive in time.
pub fn late(path: &str) -> Response {
    let sentence = "the request body did not arrive in time; send it again";
    let mut response = short(path, StatusCode::REQUEST_TIMEOUT, sentence);
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(header::CONNECTION, close);
    response
}

/// The server made a mistake.
pub fn failed(path: &str) -> Response {
    if api::answers(path) {
        return api::failed();
    }
    let sentence = "internal error; see the server's log\n";
    (StatusCode::INTERNAL_SERVER_ERROR, sentence).into_response()
}

/// One sentence, for commands as JSON.
fn short(path: &str, status: StatusCode, sentence: &str) -> Response {
    if api::answers(path) {
        return api::refuse_request(status, sentence);
    }
    (status, format!("{sentence}\n")).into_response()
}

/// The address exists, but not with this method. The `Allow` header lists the methods.
pub async fn wrong_method() -> (StatusCode, &'static str) {
    let sentence = "method not allowed; see the Allow header\n";
    (StatusCode::METHOD_NOT_ALLOWED, sentence)
}

/// The request's host name is not one of this server's.
pub fn misdirected(path: &str) -> Response {
    let status = StatusCode::MISDIRECTED_REQUEST;
    if api::answers(path) {
        let sentence = "this server does not know this host name; set HUBBUB_URL to its public address";
        return api::refuse_request(status, sentence);
    }
    html(
        status,
        "Unknown address",
        "This server does not know this host name. If you run it, set HUBBUB_URL to its public address, such as \
         https://chat.example.org, and restart it.",
    )
}

fn soon() -> u64 {
    let (first, last) = BUSY_SECONDS;
    first + u64::from(getrandom::u32().unwrap_or_default()) % (last - first + 1)
}

fn retry(status: StatusCode, title: &str, sentence: &str, seconds: u64) -> Response {
    let mut response = html(status, title, sentence);
    after(seconds, response.headers_mut());
    response
}

/// Makes a page reload by itself soon, for as long as the storage does not answer.
pub fn load_again(response: &mut Response) {
    after(soon(), response.headers_mut());
}

/// `Refresh` is for browsers, `Retry-After` for programs.
fn after(seconds: u64, headers: &mut HeaderMap) {
    headers.insert(header::RETRY_AFTER, seconds.into());
    headers.insert(header::REFRESH, seconds.into());
}

/// Both texts are constants of ours and need no escaping.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(answer: &Response) -> u64 {
        let of = |name| answer.headers()[name].to_str().unwrap().parse().unwrap();
        let (browser, program): (u64, u64) = (of(header::REFRESH), of(header::RETRY_AFTER));
        assert_eq!(browser, program);
        browser
    }

    #[test]
    fn an_unavailable_page_reloads_by_itself() {
        for (wait, expected) in [(0, 1), (999, 1), (1_000, 2), (7_500, 8)] {
            assert_eq!(seconds(&too_many(Duration::from_millis(wait))), expected);
        }
        let many: Vec<u64> = (0..200)
            .flat_map(|_| [seconds(&busy()), seconds(&no_storage())])
            .collect();
        let (first, last) = BUSY_SECONDS;
        assert!(many.iter().all(|seconds| (first..=last).contains(seconds)));
        assert!(many.iter().any(|seconds| *seconds != many[0]), "not all at once");
    }
}
