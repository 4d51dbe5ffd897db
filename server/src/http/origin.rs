//! Checks where a request comes from, so that other sites' pages cannot act in a person's name.

use axum::extract::{self, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};

use crate::origins::{Origin, Origins, over_tls};
use crate::state::State;

/// Tells operators what to check, without advice that would let other sites in if followed blindly.
const FOREIGN_FORM: &str = "This form came from another site, so nothing was changed.\n\
    If it came from Hubbub itself, the proxy in front of it must pass on the Host header unchanged, with its port: \
    see docs/operations.md.\n";

/// True if a request comes from our own pages, from an allowed origin, or from no page at all.
pub fn allowed(headers: &HeaderMap, origins: &Origins) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let origin = origin.to_str().ok().and_then(Origin::parse);
    origin.is_some_and(|origin| origins.contain(&origin) || is_ours(&origin, headers))
}

/// True if an origin is the one that this request was sent to. We do not see TLS ourselves, and some proxies report
/// the scheme of the hop before them, so an `https` origin is accepted either way. An `http` origin is refused if the
/// proxy reports TLS.
fn is_ours(origin: &Origin, headers: &HeaderMap) -> bool {
    let scheme = origin.scheme();
    if scheme != "https" && (scheme != "http" || over_tls(headers)) {
        return false;
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    host.and_then(|host| Origin::of(scheme.to_owned(), host)).as_ref() == Some(origin)
}

/// Refuses forms that another site's page posts.
pub async fn check(extract::State(state): extract::State<State>, request: Request, next: Next) -> Response {
    if allowed(request.headers(), &state.origins) {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, FOREIGN_FORM).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_and_allowed_origins_are_accepted() {
        let headers = |origin: &str| {
            HeaderMap::from_iter([
                (header::HOST, "chat.example.org:3000".parse().unwrap()),
                (header::ORIGIN, origin.parse().unwrap()),
            ])
        };
        let friends: Origins = "https://friend.example".parse().unwrap();
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
            allowed(&HeaderMap::new(), &Origins::default()),
            "programs that are not browsers send no origin"
        );
    }

    #[test]
    fn default_ports_and_schemes_are_compared() {
        for (host, origin, proto, expected) in [
            ("chat.example:443", "https://chat.example", None, true),
            (
                "chat.example:443",
                "https://chat.example",
                Some("https,http"),
                true,
            ),
            ("chat.example", "https://chat.example:443", Some("https"), true),
            ("chat.example:80", "http://chat.example", None, true),
            ("chat.example:443", "http://chat.example", None, false),
            ("chat.example", "http://chat.example", Some("https"), false),
            ("chat.example", "https://chat.example", Some("http"), true),
            ("[::1]:3000", "http://[::1]:3000", None, true),
            ("chat.example", "capacitor://chat.example", None, false),
        ] {
            let mut headers = HeaderMap::from_iter([
                (header::HOST, host.parse().unwrap()),
                (header::ORIGIN, origin.parse().unwrap()),
            ]);
            if let Some(proto) = proto {
                headers.insert("x-forwarded-proto", proto.parse().unwrap());
            }
            assert_eq!(
                allowed(&headers, &Origins::default()),
                expected,
                "{origin} at {host} over {proto:?}"
            );
        }
    }
}
