//! How a WebSocket starts: as a session of its own, or as the upgrade of a polling session.
//!
//! The library gets the bare connection, without the HTTP server's buffers and without the request, which together
//! are half of what an idle connection costs. An upgrade is handed over only after the client has shown that frames
//! get through in both directions. Until then, or if it fails, polling continues undisturbed.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tungstenite::handshake::derive_accept_key;

use super::caller::Caller;
use super::frame::{self, Fault, Frames, Message};
use super::library::Engine;
use super::link::Link;
use super::request::Problem;
use super::session::{Session, Upgrade};
use crate::listener::stream::Stream;

/// The only version of the WebSocket protocol.
const VERSION: &str = "13";
/// An upgrade must complete within this time.
const PROBE: Duration = Duration::from_secs(10);
/// The longest message during an upgrade.
const PROBE_BYTES: usize = 1_024;

/// Answers a request for a WebSocket, and starts the task that serves it.
pub async fn answer(
    engine: &Arc<Engine>,
    request: Request,
    session: Option<Arc<Session>>,
) -> Result<Response, Problem> {
    let (mut parts, _) = request.into_parts();
    let key = handshake(&parts)?;
    let upgrade = parts.extensions.remove::<OnUpgrade>();
    let upgrade = upgrade.ok_or(Problem::NoHandshake("this connection cannot become a WebSocket"))?;
    let answer = switch(&key, subprotocol(&parts.headers));
    if let Some(session) = session {
        // The task ends once the upgrade is complete or has failed.
        tokio::spawn(async move { probe(upgrade, session).await });
        return Ok(answer);
    }
    let caller = Caller::read(&engine.shared.given.cookies, &parts);
    drop(parts);
    let seat = engine.shared.seat(&caller).await?;
    let engine = Arc::clone(engine);
    // The task ends once the answer has been sent.
    tokio::spawn(async move {
        if let Some(stream) = bare(upgrade).await {
            engine.open(Link::new(&engine.shared, seat, stream, caller));
        }
    });
    Ok(answer)
}

/// Upgrades a session, if the client completes the upgrade.
async fn probe(connection: OnUpgrade, session: Arc<Session>) {
    let Some(mut stream) = bare(connection).await else {
        return;
    };
    let Ok(upgrade) = session.begin_upgrade() else {
        // The session has a WebSocket, or another upgrade is under way: leave that undisturbed.
        stream.wire().last(&frame::close(1000));
        return;
    };
    match tokio::time::timeout(PROBE, complete(&mut stream, &upgrade)).await {
        Ok(Ok(true)) => upgrade.complete(stream),
        Ok(Ok(false)) => tracing::debug!("the client gave up an upgrade"),
        Ok(Err(fault)) => {
            tracing::debug!(why = fault.why, "an upgrade failed");
            stream.wire().last(&frame::close(fault.code));
        }
        Err(_) => {
            tracing::debug!("an upgrade took too long");
            stream.wire().last(&frame::close(1008));
        }
    }
}

/// Exchanges packets until the client completes the upgrade (`true`) or is gone (`false`).
async fn complete(stream: &mut Box<Stream>, upgrade: &Upgrade) -> Result<bool, Fault> {
    const WRONG: Fault = Fault::policy("an upgrade began with an unexpected packet");
    let (mut frames, mut probed) = (Frames::default(), false);
    let mut buffer = [0; PROBE_BYTES];
    loop {
        let count = stream.read(&mut buffer).await.unwrap_or(0);
        if count == 0 {
            return Ok(false);
        }
        let mut rest = &buffer[..count];
        while let Some(message) = frames.next(&mut rest, PROBE_BYTES)? {
            match message {
                Message::Text(text) if text == "2probe" && !probed => {
                    probed = true;
                    stream.wire().send(&frame::text("3probe"));
                    upgrade.probed();
                }
                Message::Text(text) if text == "5" && probed => {
                    stream.unread(rest);
                    return Ok(true);
                }
                Message::Ping(payload) => stream.wire().send(&frame::pong(&payload)),
                Message::Pong | Message::Part => {}
                Message::Close(_) => {
                    return Err(Fault {
                        code: 1000,
                        why: "closed by the client",
                    });
                }
                Message::Text(_) | Message::Binary(_) => return Err(WRONG),
            }
        }
    }
}

/// The connection, without the HTTP server around it. Over-read bytes are pushed back.
async fn bare(upgrade: OnUpgrade) -> Option<Box<Stream>> {
    let upgraded = match upgrade.await.map(Upgraded::downcast::<TokioIo<Stream>>) {
        Ok(Ok(upgraded)) => upgraded,
        Ok(Err(_)) => {
            tracing::error!("a WebSocket's connection is not one of ours");
            return None;
        }
        Err(error) => {
            tracing::debug!(%error, "connection gone before it became a WebSocket");
            return None;
        }
    };
    let mut stream = upgraded.io.into_inner();
    stream.unread(&upgraded.read_buf);
    Some(Box::new(stream))
}

/// The key of a valid WebSocket handshake.
fn handshake(request: &Parts) -> Result<HeaderValue, Problem> {
    let headers = &request.headers;
    if !names(headers, header::UPGRADE, "websocket") || !names(headers, header::CONNECTION, "upgrade") {
        let sentence = "expected a WebSocket upgrade";
        return Err(Problem::NoUpgrade(sentence, header::UPGRADE, "websocket"));
    }
    if !names(headers, header::SEC_WEBSOCKET_VERSION, VERSION) {
        let sentence = "the WebSocket version must be 13";
        return Err(Problem::NoUpgrade(
            sentence,
            header::SEC_WEBSOCKET_VERSION,
            VERSION,
        ));
    }
    let key = headers
        .get(header::SEC_WEBSOCKET_KEY)
        .filter(|key| is_key(key.as_bytes()));
    key.cloned().ok_or(Problem::NoHandshake(
        "Sec-WebSocket-Key must be 16 bytes in base64",
    ))
}

/// The first subprotocol that the client offers, as Node.js' `ws` does.
fn subprotocol(headers: &HeaderMap) -> Option<HeaderValue> {
    let asked = headers.get(header::SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()?;
    let first = asked.split(',').next()?.trim();
    HeaderValue::from_str(first)
        .ok()
        .filter(|first| !first.is_empty())
}

/// True if a header's list contains a word, in any case.
fn names(headers: &HeaderMap, header: header::HeaderName, word: &str) -> bool {
    let values = headers.get_all(header).into_iter();
    let mut words = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    words.any(|found| found.trim().eq_ignore_ascii_case(word))
}

/// True for 16 bytes in Base64: 22 characters and `==`.
fn is_key(key: &[u8]) -> bool {
    key.strip_suffix(b"==").is_some_and(|key| {
        key.len() == 22
            && key
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(byte))
    })
}

fn switch(key: &HeaderValue, subprotocol: Option<HeaderValue>) -> Response {
    let headers = [
        (header::UPGRADE, "websocket".to_owned()),
        (header::CONNECTION, "Upgrade".to_owned()),
        (header::SEC_WEBSOCKET_ACCEPT, derive_accept_key(key.as_bytes())),
    ];
    let mut answer = (StatusCode::SWITCHING_PROTOCOLS, headers).into_response();
    if let Some(protocol) = subprotocol {
        answer
            .headers_mut()
            .insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    answer
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
    fn a_header_is_read_as_a_list_of_words() {
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
    fn the_first_protocol_is_taken() {
        let asked = |value: &'static str| {
            let headers = [(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(value))];
            subprotocol(&HeaderMap::from_iter(headers))
        };
        assert_eq!(asked("chat, other"), Some(HeaderValue::from_static("chat")));
        assert_eq!(asked(""), None);
        assert_eq!(subprotocol(&HeaderMap::new()), None);
    }
}
