//! Engine.IO: everything between HTTP and the Socket.IO library.
//!
//! The library gets a [`Link`] per session and treats it as a WebSocket of its own. Polling, upgrades and the rules
//! for what a client may send are ours; docs/decisions/0014-engine-io.md says why.

mod addresses;
mod brake;
mod caller;
mod connects;
mod frame;
mod gate;
mod hand_over;
mod library;
mod link;
mod packet;
mod peer;
mod peers;
mod polling;
mod request;
mod session;
mod shared;
mod upgrade;

pub use connects::Repeated;
#[allow(unused_imports, reason = "used by the echo server")]
pub use frame::{binary, text};
pub use gate::Rules;
pub use library::{Engine, Library};
pub use link::Link;
pub use packet::ATTACHMENTS;
pub use peer::Peer;
pub use shared::{Given, Knows};

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use http::{HeaderName, HeaderValue, Method, header};

use request::{Problem, Query, Transport};

/// Answers a request to Engine.IO.
pub async fn answer(engine: &Arc<Engine>, request: Request) -> Response {
    let mut response = match respond(engine, request).await {
        Ok(response) => response,
        Err(problem) => problem.answer(),
    };
    const HEADERS: [(HeaderName, HeaderValue); 3] = [
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("same-origin"),
        ),
    ];
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, value);
    }
    response
}

async fn respond(engine: &Arc<Engine>, request: Request) -> Result<Response, Problem> {
    let query = Query::read(request.uri())?;
    let session = match &query.sid {
        Some(sid) => Some(engine.shared.sessions.get(sid).ok_or(Problem::UnknownSession)?),
        None if request.method() != Method::GET => return Err(Problem::Method),
        None if !query.known => return Err(Problem::Version),
        None => None,
    };
    match (query.transport, session) {
        (Transport::WebSocket, session) => upgrade::answer(engine, request, session).await,
        (Transport::Polling, None) => polling::open(engine, request).await,
        (Transport::Polling, Some(session)) if request.method() == Method::GET => polling::get(session).await,
        (Transport::Polling, Some(session)) if request.method() == Method::POST => {
            polling::post(engine, session, request).await
        }
        (Transport::Polling, Some(_)) => Err(Problem::Request),
    }
}
