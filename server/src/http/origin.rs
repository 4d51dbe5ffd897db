//! Where a request comes from: another site's page must not act in a person's name.

use axum::extract::{self, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};

use crate::state::State;

/// Whether a request comes from our own pages, from an allowed origin, or from no page at all.
pub fn allowed(headers: &HeaderMap, origins: &[String]) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else { return false };
    let origin = origin.to_ascii_lowercase();
    if origins.contains(&origin) {
        return true;
    }
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .map(str::to_ascii_lowercase);
    let named = origin
        .strip_prefix("https://")
        .or_else(|| origin.strip_prefix("http://"));
    named.is_some() && named == host.as_deref()
}

/// Refuses forms that another site's page posts.
pub async fn check(extract::State(state): extract::State<State>, request: Request, next: Next) -> Response {
    if allowed(request.headers(), &state.origins) {
        next.run(request).await
    } else {
        (
            StatusCode::FORBIDDEN,
            "this form belongs to another site; open Hubbub itself, or allow the site in HUBBUB_ORIGINS\n",
        )
            .into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_and_allowed_ones() {
        let headers = |origin: &str| {
            HeaderMap::from_iter([
                (header::HOST, "chat.example.org:3000".parse().unwrap()),
                (header::ORIGIN, origin.parse().unwrap()),
            ])
        };
        let friends = ["https://friend.example".to_owned()];
        for (origin, expected) in [
            ("http://chat.example.org:3000", true),
            ("https://CHAT.example.org:3000", true),
            ("https://friend.example", true),
            ("http://chat.example.org", false),
            ("https://evil.example", false),
            ("https://chat.example.org:3000.evil.example", false),
            ("null", false),
        ] {
            assert_eq!(allowed(&headers(origin), &friends), expected, "{origin}");
        }
        assert!(
            allowed(&HeaderMap::new(), &[]),
            "programs that are not browsers send no origin"
        );
    }
}
