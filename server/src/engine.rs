//! Engine.IO: everything between HTTP and the Socket.IO library.
//!
//! The library gets a [`Link`] for each session and believes that it is a WebSocket of its own. Polling, upgrades, and
//! what a client may send are ours: docs/decisions/0014-engine-io.md says why.

mod addresses;
mod brake;
mod connects;
mod frame;
mod gate;
mod link;
mod packet;
mod peer;
mod polling;
mod request;
mod session;
mod upgrade;

pub use connects::Repeated;
#[allow(unused_imports, reason = "for the echo server of the official suites")]
pub use frame::{binary, text};
pub use gate::Rules;
pub use link::Link;
pub use packet::ATTACHMENTS;
pub use peer::Peer;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::response::Response;
use http::{HeaderName, HeaderValue, Method, header};
use socketioxide_core::Sid;

use addresses::{Addresses, Refused, Seat};
use request::{Problem, Query, Transport};
use session::Sessions;

use crate::config::Limits;
use crate::socket::Caller;
use crate::state::State;

/// How long a request that is refused for its address waits for the answer: otherwise refusing is all that we do.
const REFUSAL: Duration = Duration::from_secs(1);

/// What reads and writes the sessions.
pub trait Library: Send + Sync {
    /// Takes a new session, with a request whose one extension is its [`Peer`].
    fn take(&self, link: Box<Link>, request: http::Request<()>);

    /// Whether it still knows a session in a namespace.
    fn knows(&self, namespace: &str, sid: Sid) -> bool;
}

/// The sessions of this process.
pub struct Engine {
    rules: Rules,
    /// Bytes of one message, and of one post.
    max_payload: usize,
    ping: (Duration, Duration),
    addresses: Addresses,
    sessions: Sessions,
    library: Box<dyn Library>,
}

impl Engine {
    /// An engine in front of `library`. `max_payload` bounds a message.
    pub fn new(limits: &Limits, max_payload: usize, rules: Rules, library: Box<dyn Library>) -> Self {
        Self {
            rules,
            max_payload,
            ping: limits.ping,
            addresses: Addresses::new(limits),
            sessions: Sessions::default(),
            library,
        }
    }

    /// A place for a new session of this caller, once it may be opened.
    async fn seat(&self, caller: &Caller) -> Result<Seat, Problem> {
        match self
            .addresses
            .seat(caller.address.counted(), Instant::now().into())
        {
            Ok((seat, wait)) => {
                if !wait.is_zero() {
                    tokio::time::sleep(wait).await;
                }
                Ok(seat)
            }
            Err(Refused { after }) => {
                tokio::time::sleep(REFUSAL).await;
                Err(Problem::TooMany(after))
            }
        }
    }

    /// The first packet of a session. The library has one of its own, which knows nothing of upgrades.
    fn greeting(&self, sid: &str, upgrades: &str) -> String {
        let (interval, timeout) = self.ping;
        format!(
            "0{{\"sid\":\"{sid}\",\"upgrades\":[{upgrades}],\"pingInterval\":{},\"pingTimeout\":{},\"maxPayload\":{}}}",
            interval.as_millis(),
            timeout.as_millis(),
            self.max_payload
        )
    }

    /// Hands a new session over.
    fn open(&self, link: Box<Link>) {
        let mut request = http::Request::new(());
        *request.uri_mut() = http::Uri::from_static(OPEN);
        request.extensions_mut().insert(Arc::clone(link.peer()));
        self.library.take(link, request);
    }
}

/// The request of every session, as far as the library needs to know.
const OPEN: &str = "/socket.io/?EIO=4&transport=websocket";

/// Answers a request to Engine.IO.
pub async fn answer(state: &State, request: Request) -> Response {
    let mut response = match respond(state, request).await {
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

async fn respond(state: &State, request: Request) -> Result<Response, Problem> {
    let query = Query::read(request.uri())?;
    let session = match &query.sid {
        Some(sid) => Some(state.engine().sessions.get(sid).ok_or(Problem::UnknownSession)?),
        None if request.method() != Method::GET => return Err(Problem::Method),
        None if !query.known => return Err(Problem::Version),
        None => None,
    };
    match (query.transport, session) {
        (Transport::WebSocket, session) => upgrade::answer(state, request, session).await,
        (Transport::Polling, None) => polling::open(state, request).await,
        (Transport::Polling, Some(session)) if request.method() == Method::GET => polling::get(session).await,
        (Transport::Polling, Some(session)) if request.method() == Method::POST => {
            polling::post(state, session, request).await
        }
        (Transport::Polling, Some(_)) => Err(Problem::Request),
    }
}
