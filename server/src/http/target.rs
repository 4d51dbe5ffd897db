//! Rejects malformed requests before they reach code that assumes a path, a host name of ours, and a body of one
//! length.

use axum::extract::{self, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Uri, Version, header};

use super::sorry;
use crate::origins::{self, Origin};
use crate::state::State;

/// Refuses malformed and misdirected requests.
pub async fn check(
    extract::State(state): extract::State<State>,
    mut request: Request,
    next: Next,
) -> Response {
    let checked = host(request.version(), request.headers()).and_then(|host| {
        length(request.headers())?;
        let uri = path(request.uri(), host.as_ref())?;
        Ok((host, uri))
    });
    let host = match checked {
        Ok((host, uri)) => {
            if let Some(uri) = uri {
                *request.uri_mut() = uri;
            }
            host
        }
        Err(sentence) => return sorry::bad_request(request.uri().path(), sentence),
    };
    // Health checks may use any host name; they reveal nothing else.
    let probe = matches!(request.uri().path(), "/healthz" | "/readyz");
    if !probe && host.is_some_and(|host| !state.names.know(&host)) {
        tracing::debug!("a request for an unknown host name; HUBBUB_URL sets the one to accept");
        return sorry::misdirected(request.uri().path());
    }
    let chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
    let mut response = next.run(request).await;
    if chunked {
        // The HTTP library silently drops a Content-Length beside Transfer-Encoding. So nothing that follows on this
        // connection may be taken for a request (RFC 9112, section 6.3).
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    response
}

/// The single host that a request names. HTTP/1.0 need not name one.
fn host(version: Version, headers: &HeaderMap) -> Result<Option<Origin>, &'static str> {
    let mut hosts = headers.get_all(header::HOST).into_iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if version < Version::HTTP_11 => Ok(None),
        (None, _) => Err("an HTTP/1.1 request needs a Host header"),
        (Some(_), Some(_)) => Err("a request must have only one Host header"),
        (Some(host), None) => {
            let host = host
                .to_str()
                .ok()
                .and_then(|host| Origin::of("http".to_owned(), host));
            host.map(Some).ok_or("the Host header is not valid")
        }
    }
}

/// Checks that a body has one length. Two different ones allow request smuggling through a proxy that reads the
/// other.
fn length(headers: &HeaderMap) -> Result<(), &'static str> {
    let codings: Vec<_> = headers.get_all(header::TRANSFER_ENCODING).into_iter().collect();
    match codings.as_slice() {
        [] => Ok(()),
        [coding] if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(()),
        _ => Err("the only supported Transfer-Encoding is \"chunked\""),
    }
}

/// Checks that a request asks for a path. An absolute URL is rewritten to its path if its host is the request's host.
fn path(uri: &Uri, host: Option<&Origin>) -> Result<Option<Uri>, &'static str> {
    const NO_PATH: &str = "the request target must be a path, such as /";
    let Some(authority) = uri.authority() else {
        return if uri.path().starts_with('/') {
            Ok(None)
        } else {
            Err(NO_PATH)
        };
    };
    let scheme = uri.scheme_str().ok_or(NO_PATH)?;
    let same = Origin::of("http".to_owned(), authority.as_str());
    if !matches!(scheme, "http" | "https") || same.is_none() || same.as_ref() != host {
        return Err("the request target and the Host header name different hosts");
    }
    let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    path.parse().map(Some).map_err(|_| NO_PATH)
}

/// The site's public scheme and host: `HUBBUB_URL`, or what the request says.
pub fn site(state: &State, headers: &HeaderMap) -> String {
    if let Some(url) = state.names.url() {
        return url.to_string();
    }
    let scheme = if origins::over_tls(headers) {
        "https"
    } else {
        "http"
    };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let origin = host.and_then(|host| Origin::of(scheme.to_owned(), host));
    origin.map(|origin| origin.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(host: &str) -> Origin {
        Origin::of("http".to_owned(), host).unwrap()
    }

    #[test]
    fn a_request_asks_for_a_path() {
        let host = named("e.org");
        for (uri, expected) in [
            ("/", Ok("/")),
            ("/rooms/lobby?before=1", Ok("/rooms/lobby?before=1")),
            ("http://e.org/a?b", Ok("/a?b")),
            ("http://E.org:80", Ok("/")),
            ("https://e.org/a", Ok("/a")),
            ("http://other.org/", Err(())),
            ("http://e.org:81/", Err(())),
            ("ftp://e.org/", Err(())),
            ("e.org:80", Err(())),
            ("x", Err(())),
            ("*", Err(())),
        ] {
            let given: Uri = uri.parse().unwrap();
            let found = path(&given, Some(&host)).map(|other| other.unwrap_or(given.clone()).to_string());
            assert_eq!(found.as_deref().map_err(|_| ()), expected, "{uri}");
        }
        assert!(path(&"http://e.org/".parse().unwrap(), None).is_err());
    }

    #[test]
    fn a_request_has_one_host_and_one_length() {
        let headers = |lines: &[(&'static str, &'static str)]| {
            let lines = lines.iter().map(|(name, value)| {
                (
                    http::HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            });
            let mut headers = HeaderMap::new();
            lines.for_each(|(name, value)| _ = headers.append(name, value));
            headers
        };
        for (version, hosts, fine) in [
            (Version::HTTP_11, &[("host", "e.org")][..], true),
            (Version::HTTP_11, &[], false),
            (Version::HTTP_10, &[], true),
            (Version::HTTP_11, &[("host", "e.org"), ("host", "e.org")], false),
            (Version::HTTP_10, &[("host", "a"), ("host", "b")], false),
            (Version::HTTP_11, &[("host", "")], false),
            (Version::HTTP_11, &[("host", "a b")], false),
            (Version::HTTP_11, &[("host", "a@b")], false),
            (Version::HTTP_11, &[("host", "a/b")], false),
        ] {
            assert_eq!(host(version, &headers(hosts)).is_ok(), fine, "{hosts:?}");
        }
        for (lines, fine) in [
            (&[("content-length", "1")][..], true),
            (&[("transfer-encoding", "Chunked")], true),
            (&[("transfer-encoding", "chunked, chunked")], false),
            (
                &[("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")],
                false,
            ),
            (&[("transfer-encoding", "gzip, chunked")], false),
        ] {
            assert_eq!(length(&headers(lines)).is_ok(), fine, "{lines:?}");
        }
    }
}
