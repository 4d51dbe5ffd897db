//! The Socket.IO library, set up with every limit that it has, behind our own Engine.IO.

use std::time::Duration;

use axum::extract::{self, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use socketioxide::{ParserConfig, SocketIo};
use socketioxide_core::Sid;
use tower::Service as _;

use super::connection;
use crate::config::Limits;
use crate::engine::{self, Engine, Library, Link, Rules};
use crate::state::State;

/// Where Socket.IO lives.
const PATH: &str = "/socket.io";
/// The namespaces that there are.
const NAMESPACES: &[&str] = &["/", connection::NAMESPACE];
/// A frame may be this many times larger than a command before the connection is closed: what lies between is
/// answered with `too_large`.
const FRAME_SLACK: usize = 4;
/// What we put around a command for the library.
const WRAPPING: usize = 64;
/// Packets that wait for one socket. Past this the socket is disconnected and resumes from its place.
const OUTBOX_PACKETS: usize = 4_096;
/// What the library reads at once from what our stream has read. Every connection has this buffer; a larger message
/// makes it grow for as long as it is read.
const READ_BUFFER: usize = 128;
/// Timers are late by some milliseconds. With so much less the library is not later than the client is told.
const TIMERS: Duration = Duration::from_millis(25);
/// Time to connect to a namespace, and to complete a packet.
const SETUP: Duration = Duration::from_secs(10);

/// The Socket.IO server and what is in front of it.
pub struct Server {
    /// To emit and to listen.
    pub io: SocketIo,
    /// Its sessions.
    pub engine: Engine,
}

impl Server {
    /// A server without handlers yet.
    pub fn new(limits: &Limits) -> Self {
        let frame = limits.frame_bytes * FRAME_SLACK;
        let (service, io) = SocketIo::builder()
            .req_path(PATH)
            .max_payload(frame as u64)
            .ws_max_message_size(frame + WRAPPING)
            .ws_max_frame_size(frame + WRAPPING)
            .ws_read_buffer_size(READ_BUFFER)
            .max_buffer_size(OUTBOX_PACKETS)
            .ping_interval(limits.ping.0)
            .ping_timeout(limits.ping.1.saturating_sub(TIMERS))
            .connect_timeout(SETUP)
            .with_parser(
                ParserConfig::common()
                    // No command takes attachments; a few are let in so that they can be answered.
                    .max_incoming_binaries(engine::ATTACHMENTS)
                    .max_incoming_binary_buf_size(frame)
                    .packet_completion_timeout(SETUP),
            )
            .build_svc();
        let open = move |link, request| {
            // It has the session when this returns; there is nothing to wait for.
            if let Err(error) = service.clone().call((link, request)).into_inner() {
                tracing::error!(%error, "the library does not take a session");
            }
        };
        let library = Box::new(SocketIoxide {
            open: Box::new(open),
            io: io.clone(),
        });
        let engine = Engine::new(limits, frame, Rules::SocketIo(NAMESPACES), library);
        Self { io, engine }
    }
}

/// The library as Engine.IO sees it.
struct SocketIoxide {
    open: Box<dyn Fn(Box<Link>, http::Request<()>) + Send + Sync>,
    io: SocketIo,
}

impl Library for SocketIoxide {
    fn take(&self, link: Box<Link>, request: http::Request<()>) {
        (self.open)(link, request);
    }

    fn knows(&self, namespace: &str, sid: Sid) -> bool {
        let namespace = self.io.of(namespace);
        namespace.is_some_and(|namespace| namespace.get_socket(sid).is_some())
    }
}

/// Takes the requests that belong to Socket.IO, if they come from a page that may.
pub async fn route(extract::State(state): extract::State<State>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path != PATH && !path.starts_with("/socket.io/") {
        return next.run(request).await;
    }
    if !crate::http::origin::allowed(request.headers(), &state.origins) {
        return (
            StatusCode::FORBIDDEN,
            "pages of this origin may not connect; allow it in HUBBUB_ORIGINS\n",
        )
            .into_response();
    }
    if state.readiness.draining() {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            "the server is stopping; try again in a moment\n",
        )
            .into_response();
    }
    engine::answer(&state, request).await
}
