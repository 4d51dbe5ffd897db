//! Sessions over HTTP long polling: a request opens the session, GET requests wait for what the server sends, and
//! POST requests carry what the client sends.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use hyper::body::{Frame, SizeHint};

use super::caller::Caller;
use super::frame;
use super::library::Engine;
use super::link::Link;
use super::packet::{self, Packet};
use super::request::Problem;
use super::session::{Polled, Session, Wrong};
use crate::listener::as_it_is::AsItIs;
use crate::live::{Account, Wire};

/// How long the body of a POST may take to arrive, and how long the library may take to read it.
const POST: Duration = Duration::from_secs(20);
/// The most packets in one POST.
const PACKETS: usize = 4_096;
/// During an upgrade, a poll ends after this delay. Ending it at once would make the client poll in a loop.
const NOOP: Duration = Duration::from_millis(50);

impl From<Wrong> for Problem {
    fn from(_: Wrong) -> Self {
        Self::Request
    }
}

pub async fn open(engine: &Engine, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let shared = &engine.shared;
    let given = &shared.given;
    let caller = Caller::read(&given.cookies, &parts);
    let seat = shared.seat(&caller).await?;
    let wire = Wire::polled(&given.budget, given.slow.clone());
    let session = Session::new(wire);
    // A client that disconnects before the answer never polls, so the session ends.
    let guard = EndOnDrop(Some(Arc::clone(&session)));
    engine.open(Link::polled(shared, seat, Arc::clone(&session), caller));
    let sid = poll_fn(|cx| session.poll_sid(cx)).await.ok_or(Problem::Request)?;
    guard.disarm();
    Ok(text(shared.greeting(&sid, "\"websocket\"").into()))
}

/// Waits for what the server sends.
pub async fn get(session: Arc<Session>) -> Result<Response, Problem> {
    let probed = session.begin_poll()?;
    // A cancelled poll ends the session, as in Node.js: its packets would be lost.
    let guard = EndOnDrop(Some(Arc::clone(&session)));
    let polled = poll_fn(|cx| session.poll(cx)).await;
    let response = match polled {
        Polled::Frames(frames) => {
            let mut response = text(Body::new(Payload::new(frames, session)));
            response.extensions_mut().insert(AsItIs);
            response
        }
        Polled::Packet(packet) => {
            // The client polls although it knows that polls end for the upgrade.
            if probed {
                tokio::time::sleep(NOOP).await;
                if session.is_upgraded() {
                    return Err(Problem::Request);
                }
            }
            text(packet.into())
        }
        Polled::Nothing => return Err(Problem::Request),
    };
    guard.disarm();
    Ok(response)
}

/// Takes what the client sends.
pub async fn post(engine: &Engine, session: Arc<Session>, request: Request) -> Result<Response, Problem> {
    let guard = EndOnDrop(Some(Arc::clone(&session)));
    let limit = engine.shared.max_payload;
    let body = axum::body::to_bytes(request.into_body(), limit);
    let body = match tokio::time::timeout(POST, body).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return Err(Problem::TooLarge),
        Err(_) => return Err(Problem::Request),
    };
    let payload = std::str::from_utf8(&body).map_err(|_| Problem::Request)?;
    let packets: Vec<String> = packet::split(payload).take(PACKETS + 1).map(Into::into).collect();
    if packets.len() > PACKETS || packets.iter().any(|packet| Packet::read(packet).is_none()) {
        return Err(Problem::Request);
    }
    session.begin_post(packets)?;
    let posted = tokio::time::timeout(POST, poll_fn(|cx| session.poll_posted(cx))).await;
    let closed = payload.split('\x1e').any(|packet| packet == "1");
    if posted == Ok(true) || closed {
        guard.disarm();
        return Ok(text("ok".into()));
    }
    Err(Problem::Request)
}

fn text(body: Body) -> Response {
    let headers = [(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=UTF-8"),
    )];
    (StatusCode::OK, headers, body).into_response()
}

/// Ends the session when dropped, unless disarmed.
struct EndOnDrop(Option<Arc<Session>>);

impl EndOnDrop {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        if let Some(session) = &self.0 {
            session.broken();
        }
    }
}

/// The answer to a poll: packets with separators between them. Frames that go to many sessions are not copied.
struct Payload {
    parts: VecDeque<Bytes>,
    /// Bytes that are charged to the session's account until they have left.
    left: usize,
    account: Arc<Account>,
    session: Arc<Session>,
}

impl Payload {
    fn new(frames: VecDeque<Bytes>, session: Arc<Session>) -> Self {
        let mut parts = VecDeque::with_capacity(frames.len() * 2);
        for frame in frames {
            let Some((first, begin, end)) = frame::first_of_ours(&frame) else {
                continue;
            };
            if !parts.is_empty() {
                parts.push_back(Bytes::from_static(b"\x1e"));
            }
            if first == frame::BINARY {
                parts.push_back(packet::in_base64(&frame[begin..end]).into());
            } else {
                parts.push_back(frame.slice(begin..end));
            }
        }
        let left = parts.iter().map(Bytes::len).sum();
        let account = Arc::clone(session.wire().account());
        account.charge(left);
        Self {
            parts,
            left,
            account,
            session,
        }
    }
}

impl hyper::body::Body for Payload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let part = self.parts.pop_front();
        let length = part.as_ref().map_or(0, Bytes::len);
        self.left -= length;
        self.account.credit(length);
        Poll::Ready(part.map(|part| Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.parts.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left as u64)
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        self.account.credit(self.left);
        if !self.parts.is_empty() {
            // The packets in it are lost, so the session cannot go on.
            self.session.broken();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use prometheus_client::metrics::counter::Counter;
    use prometheus_client::metrics::gauge::Gauge;

    use crate::live::{BUDGET, Budget};

    fn session() -> Arc<Session> {
        let budget = Budget::new(BUDGET, Gauge::default(), Counter::default());
        Session::new(Wire::polled(&budget, Counter::default()))
    }

    #[tokio::test]
    async fn an_answer_is_packets_with_separators() {
        let session = session();
        let frames = [
            frame::text("4hello"),
            Bytes::from_static(b"\x82\x02\x01\x02"),
            frame::text("2"),
        ];
        let body = Payload::new(frames.into(), Arc::clone(&session));
        assert_eq!(session.wire().account().waiting(), body.left, "until it has left");
        let bytes = axum::body::to_bytes(Body::new(body), 1_000).await.unwrap();
        assert_eq!(&bytes[..], b"4hello\x1ebAQI=\x1e2");
        assert_eq!(session.wire().account().waiting(), 0);
        assert!(session.begin_poll().is_ok(), "the session goes on");
    }

    #[tokio::test]
    async fn an_answer_that_breaks_off_ends_the_session() {
        let session = session();
        let frames = [frame::text("4hello"), frame::text("4again")];
        let mut body = Payload::new(frames.into(), Arc::clone(&session));
        let first = poll_fn(|cx| hyper::body::Body::poll_frame(Pin::new(&mut body), cx)).await;
        assert!(first.is_some());
        drop(body);
        assert_eq!(session.begin_poll(), Err(Wrong::Ended));
        assert_eq!(session.wire().account().waiting(), 0);
    }
}
