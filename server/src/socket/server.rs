//! The Socket.IO library, set up with every limit that it has.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{self, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use socketioxide::service::SocketIoService;
use socketioxide::{ParserConfig, SocketIo};
use tower::ServiceExt;

use super::upgrade::{self, Asked};
use crate::config::Limits;
use crate::state::State;

/// Where Socket.IO lives.
const PATH: &str = "/socket.io";
/// A frame may be this many times larger than a command before the connection is closed: what lies between is
/// answered with `too_large`.
const FRAME_SLACK: usize = 4;
/// Packets that wait for one socket. Past this the socket is disconnected and resumes from its place.
const OUTBOX_PACKETS: usize = 4_096;
/// What the library reads at once from what our stream has read. Every connection has this buffer; a larger message
/// makes it grow for as long as it is read.
const READ_BUFFER: usize = 256;
/// Time to connect to a namespace, to upgrade, and to complete a packet.
const SETUP: Duration = Duration::from_secs(10);

/// The library's service. What is none of its business it gives to another, which knows nothing.
pub type Service =
    SocketIoService<tower::util::BoxCloneSyncService<Request, Response<Body>, std::convert::Infallible>>;

/// The Socket.IO server and the service that answers its requests.
pub struct Server {
    /// To emit and to listen.
    pub io: SocketIo,
    service: Service,
}

impl Server {
    /// A server without namespaces yet.
    pub fn new(limits: &Limits) -> Self {
        let frame = limits.frame_bytes * FRAME_SLACK;
        let none = tower::service_fn(async |_: Request| Ok(StatusCode::NOT_FOUND.into_response()));
        let (service, io) = SocketIo::builder()
            .req_path(PATH)
            .max_payload(frame as u64)
            .ws_max_message_size(frame)
            .ws_max_frame_size(frame)
            .ws_read_buffer_size(READ_BUFFER)
            .max_buffer_size(OUTBOX_PACKETS)
            .ping_interval(limits.ping.0)
            .ping_timeout(limits.ping.1)
            .connect_timeout(SETUP)
            .upgrade_timeout(SETUP)
            .with_parser(
                ParserConfig::common()
                    // No command takes attachments; a few are let in so that they can be answered.
                    .max_incoming_binaries(4)
                    .max_incoming_binary_buf_size(frame)
                    .packet_completion_timeout(SETUP),
            )
            .build_with_inner_svc(tower::util::BoxCloneSyncService::new(none));
        Self { io, service }
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
    if state.draining() {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            "the server is stopping; try again in a moment\n",
        )
            .into_response();
    }
    let service = state.sockets.service.clone();
    let request = match upgrade::read(&state, request) {
        Asked::Library(request) => request,
        Asked::Refused(refusal) => return refusal,
        Asked::WebSocket(answer, upgrade, caller) => {
            // It ends as soon as the answer has left.
            tokio::spawn(upgrade::hand_over(service, upgrade, caller));
            return answer;
        }
    };
    match service.oneshot(request).await {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    }
}
