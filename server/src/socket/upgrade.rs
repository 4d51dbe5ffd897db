//! How a WebSocket begins.
//!
//! The library can do this, but then it keeps the HTTP server's stream with its buffers, and our request. Here it gets
//! the bare connection and a request with only what is read later: that is half of what an idle connection costs.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tower::Service as _;
use tungstenite::handshake::derive_accept_key;

use super::caller::Caller;
use super::server::Service;
use crate::listener::Stream;
use crate::state::State;

/// The request of every new WebSocket, as far as the library needs to know.
const OPEN: &str = "/socket.io/?EIO=4&transport=websocket";
/// The only version there is.
const VERSION: &str = "13";

/// What a request to Socket.IO asks for.
pub enum Asked {
    /// A WebSocket of its own.
    WebSocket(Response, OnUpgrade, Caller),
    /// Something that the library answers.
    Library(Request),
    /// Something impossible; this says why.
    Refused(Response),
}

/// Reads a request.
pub fn read(state: &State, request: Request) -> Asked {
    let query = Query::of(request.uri());
    let socket = query.transport == Some("websocket") && request.method() == Method::GET;
    if !socket && query.sid.is_some() {
        return Asked::Library(request);
    }
    let known = query.protocol == Some("4");
    let alone = query.sid.is_none();
    let (mut parts, body) = request.into_parts();
    let caller = Caller::read(state, &parts);
    if !socket {
        return Asked::Library(copy(&parts, caller, body));
    }
    let key = match handshake(&parts) {
        Ok(key) => key,
        Err(refusal) => return Asked::Refused(*refusal),
    };
    let Some(upgrade) = parts.extensions.remove::<OnUpgrade>() else {
        return Asked::Refused(refuse(
            StatusCode::BAD_REQUEST,
            "this connection cannot become a WebSocket",
        ));
    };
    if known && alone {
        return Asked::WebSocket(switch(&key), upgrade, caller);
    }
    let mut request = copy(&parts, caller, Body::empty());
    request.headers_mut().insert(header::SEC_WEBSOCKET_KEY, key);
    request.extensions_mut().insert(upgrade);
    Asked::Library(request)
}

/// Hands a connection over once the answer has left.
pub async fn hand_over(mut service: Service, upgrade: OnUpgrade, caller: Caller) {
    let stream = match upgrade.await.map(bare) {
        Ok(Some(stream)) => stream,
        Ok(None) => return tracing::error!("a WebSocket's connection is none of ours"),
        Err(error) => return tracing::debug!(%error, "gone before it became a WebSocket"),
    };
    let mut request = http::Request::new(());
    *request.uri_mut() = Uri::from_static(OPEN);
    request.extensions_mut().insert(caller);
    request.extensions_mut().insert(Arc::clone(stream.wire()));
    if let Err(error) = service.call((stream, request)).await {
        tracing::error!(%error, "the library does not take a WebSocket");
    }
}

/// The connection without what HTTP needed. What has been read too much is given back to it. In a box, because the
/// library's task has a place for it in each of its steps.
fn bare(upgraded: Upgraded) -> Option<Box<Stream>> {
    let parts = upgraded.downcast::<TokioIo<Stream>>().ok()?;
    let mut stream = parts.io.into_inner();
    stream.unread(&parts.read_buf);
    Some(Box::new(stream))
}

/// The key of a request that can become a WebSocket.
fn handshake(request: &Parts) -> Result<HeaderValue, Box<Response>> {
    let headers = &request.headers;
    if !names(headers, header::UPGRADE, "websocket") || !names(headers, header::CONNECTION, "upgrade") {
        let mut refusal = refuse(StatusCode::UPGRADE_REQUIRED, "this address is for WebSockets");
        let upgrade = HeaderValue::from_static("websocket");
        refusal.headers_mut().insert(header::UPGRADE, upgrade);
        return Err(refusal.into());
    }
    if !names(headers, header::SEC_WEBSOCKET_VERSION, VERSION) {
        let mut refusal = refuse(StatusCode::UPGRADE_REQUIRED, "the WebSocket version must be 13");
        let version = HeaderValue::from_static(VERSION);
        refusal
            .headers_mut()
            .insert(header::SEC_WEBSOCKET_VERSION, version);
        return Err(refusal.into());
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes);
    match key.filter(|key| is_key(key)).map(HeaderValue::from_bytes) {
        Some(Ok(key)) => Ok(key),
        _ => Err(refuse(
            StatusCode::BAD_REQUEST,
            "Sec-WebSocket-Key must be 16 bytes in base64",
        )
        .into()),
    }
}

/// Whether a header's list has a word, in whatever case.
fn names(headers: &HeaderMap, header: header::HeaderName, word: &str) -> bool {
    let values = headers.get_all(header).into_iter();
    let mut words = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    words.any(|found| found.trim().eq_ignore_ascii_case(word))
}

/// 16 bytes in base64 are 22 characters and `==`.
fn is_key(key: &[u8]) -> bool {
    key.strip_suffix(b"==").is_some_and(|key| {
        key.len() == 22
            && key
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(byte))
    })
}

fn switch(key: &HeaderValue) -> Response {
    let headers = [
        (header::UPGRADE, "websocket".to_owned()),
        (header::CONNECTION, "Upgrade".to_owned()),
        (header::SEC_WEBSOCKET_ACCEPT, derive_accept_key(key.as_bytes())),
    ];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

fn refuse(status: StatusCode, sentence: &'static str) -> Response {
    (status, format!("{sentence}\n")).into_response()
}

/// A request that points into nobody's buffer.
fn copy(request: &Parts, caller: Caller, body: Body) -> Request {
    let mut copied = Request::new(body);
    *copied.method_mut() = request.method.clone();
    // What was an address stays one.
    if let Ok(uri) = request.uri.to_string().parse() {
        *copied.uri_mut() = uri;
    }
    copied.extensions_mut().insert(caller);
    copied
}

/// What the address of a request asks for: the first of each name counts.
struct Query<'a> {
    protocol: Option<&'a str>,
    transport: Option<&'a str>,
    sid: Option<&'a str>,
}

impl<'a> Query<'a> {
    fn of(uri: &'a Uri) -> Self {
        let query = uri.query().unwrap_or_default();
        let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name));
        Self {
            protocol: value("EIO="),
            transport: value("transport="),
            sid: value("sid="),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_sixteen_bytes() {
        assert!(is_key(b"dGhlIHNhbXBsZSBub25jZQ=="));
        for wrong in [
            &b""[..],
            b"dGhlIHNhbXBsZSBub25jZQ",
            b"dGhlIHNhbXBsZSBub25jZQ==\n",
            b"dGhlIHNhbXBsZSBub25j==",
            b"dGhlIHNhbXBs ZSBub25jZQ==",
            b"dGhlIHNhbXBsZSBub25jZQAA",
        ] {
            assert!(!is_key(wrong), "{}", String::from_utf8_lossy(wrong));
        }
    }

    #[test]
    fn a_header_is_a_list_of_words() {
        let headers = HeaderMap::from_iter([
            (
                header::CONNECTION,
                HeaderValue::from_static("keep-alive, Upgrade"),
            ),
            (header::UPGRADE, HeaderValue::from_static("h2c")),
            (header::UPGRADE, HeaderValue::from_static("WebSocket")),
        ]);
        assert!(names(&headers, header::CONNECTION, "upgrade"));
        assert!(names(&headers, header::UPGRADE, "websocket"));
        assert!(!names(&headers, header::SEC_WEBSOCKET_VERSION, VERSION));
    }

    #[test]
    fn the_first_of_each_name_counts() {
        let uri = Uri::from_static("/socket.io/?EIO=4&sid=&transport=polling&EIO=3");
        let query = Query::of(&uri);
        assert_eq!(query.protocol, Some("4"));
        assert_eq!(query.transport, Some("polling"));
        assert_eq!(query.sid, Some(""));
        assert_eq!(Query::of(&Uri::from_static("/socket.io/")).protocol, None);
    }
}
