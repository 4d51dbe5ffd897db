//! The Socket.IO library, with all its limits set, behind our own Engine.IO.

use std::sync::Arc;
use std::time::Duration;

use socketioxide::{ParserConfig, SocketIo};
use socketioxide_core::Sid;
use tower::Service as _;

use crate::config::Limits;
use crate::engine::{self, Engine, Given, Knows, Library, Link, Rules};
use crate::live::frame::{CHAT, EXAMPLE};

/// The path of Socket.IO.
pub const PATH: &str = "/socket.io";
/// All namespaces.
const NAMESPACES: &[&str] = &[EXAMPLE, CHAT];
/// A frame may be this many times larger than a command before the connection is closed. In between, the answer is
/// `too_large`.
const FRAME_SLACK: usize = 4;
/// Bytes that we add around a command for the library.
const WRAPPING: usize = 64;
/// The most packets that wait for one socket. Beyond that the socket is disconnected, and catches up when it
/// reconnects.
const OUTBOX_PACKETS: usize = 4_096;
/// The library's read buffer. Every connection has one; a larger message makes it grow while it is read.
const READ_BUFFER: usize = 128;
/// Timers fire a few milliseconds late. Subtracting this keeps the library within the timeout that clients are told.
const TIMERS: Duration = Duration::from_millis(25);
/// The time to connect to a namespace, and to complete a packet.
const SETUP: Duration = Duration::from_secs(10);

/// The Socket.IO server, with our Engine.IO in front of it.
pub struct Server {
    /// The library's handle, to emit and to listen.
    pub io: SocketIo,
    /// Our Engine.IO.
    pub engine: Arc<Engine>,
}

impl Server {
    /// A server without handlers.
    pub fn new(limits: &Limits, given: Given) -> Self {
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
                    // No command takes attachments; a few are allowed so that they get an answer.
                    .max_incoming_binaries(engine::ATTACHMENTS)
                    .max_incoming_binary_buf_size(frame)
                    .packet_completion_timeout(SETUP),
            )
            .build_svc();
        let open = move |link, request| {
            // The library has taken the session when this returns; there is nothing to wait for.
            if let Err(error) = service.clone().call((link, request)).into_inner() {
                tracing::error!(%error, "the library did not accept a session");
            }
        };
        let library = Arc::new(SocketIoxide {
            open: Box::new(open),
            io: io.clone(),
        });
        let rules = Rules::SocketIo(NAMESPACES);
        let engine = Arc::new(Engine::new(limits, frame, rules, library, given));
        Self { io, engine }
    }
}

/// The library, as our Engine.IO sees it.
struct SocketIoxide {
    open: Box<dyn Fn(Box<Link>, http::Request<()>) + Send + Sync>,
    io: SocketIo,
}

impl Library for SocketIoxide {
    fn take(&self, link: Box<Link>, request: http::Request<()>) {
        (self.open)(link, request);
    }
}

impl Knows for SocketIoxide {
    fn knows(&self, namespace: &str, sid: Sid) -> bool {
        let namespace = self.io.of(namespace);
        namespace.is_some_and(|namespace| namespace.get_socket(sid).is_some())
    }
}
