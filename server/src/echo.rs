//! An echo server on our Engine.IO, for the official protocol suites of the repository socketio/socket.io:
//! `docs/engine.io-protocol/v4-test-suite` (run with `engine` as the first argument) and
//! `docs/socket.io-protocol/v5-test-suite` (`socket`). docs/decisions/0014-engine-io.md says how.

#![allow(dead_code, reason = "the echo server uses little of the server")]

mod commands;
mod config;
mod deadline;
mod engine;
mod http;
mod limits;
mod listener;
mod live;
mod log;
mod metrics;
mod names;
mod origins;
mod process;
mod proxies;
mod readiness;
mod refusals;
mod session;
mod shutdown;
mod site;
mod socket;
mod state;
mod storage;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use engineioxide::handler::EngineIoHandler;
use engineioxide::service::EngineIoService;
use engineioxide::{DisconnectReason, Str};
use socketioxide::SocketIo;
use socketioxide::adapter::LocalAdapter;
use socketioxide::extract::{SocketRef, TryData};
use socketioxide::handler::MessageHandler;
use socketioxide_core::{Sid, Value};
use tower::Service as _;

use engine::{Engine, Knows, Library, Link, Rules};
use state::State;

/// The heartbeat that the suites expect.
const PING: (Duration, Duration) = (Duration::from_millis(300), Duration::from_millis(200));
/// As in `socket/server.rs`.
const TIMERS: Duration = Duration::from_millis(25);
const MAX_PAYLOAD: usize = 1_000_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let raw = std::env::args().nth(1).as_deref() == Some("engine");
    let mut config = config::Config::parse(|name| std::env::var(name).ok())?;
    config.limits.ping = PING;
    let listener = listener::bind(config.addr)?;
    let state = process::open_with(
        config,
        |ports| ports,
        |limits, given| {
            if raw {
                let config = engineioxide::config::EngineIoConfig::builder()
                    .req_path("/socket.io")
                    .ping_interval(PING.0)
                    .ping_timeout(PING.1 - TIMERS)
                    .max_payload(MAX_PAYLOAD as u64)
                    .build();
                let library = Arc::new(Echo(EngineIoService::with_config(Arc::new(Handler), config)));
                return socket::server::Server {
                    io: SocketIo::new_svc().1,
                    engine: Arc::new(Engine::new(limits, MAX_PAYLOAD, Rules::Raw, library, given)),
                };
            }
            let (service, io) = SocketIo::builder()
                .req_path("/socket.io")
                .ping_interval(PING.0)
                .ping_timeout(PING.1 - TIMERS)
                .max_payload(MAX_PAYLOAD as u64)
                .connect_timeout(Duration::from_secs(1))
                .build_svc();
            let library = Arc::new(Opened(Box::new(move |link, request| {
                drop(service.clone().call((link, request)));
            })));
            let rules = Rules::SocketIo(&["/", "/custom"]);
            socket::server::Server {
                io,
                engine: Arc::new(Engine::new(limits, MAX_PAYLOAD, rules, library, given)),
            }
        },
    )
    .await?;
    for namespace in ["/", "/custom"] {
        let answering = state.clone();
        let connected = move |socket: SocketRef, TryData(auth): TryData<serde_json::Value>| {
            socket.on("e", Answer(answering.clone()));
            let none = serde_json::json!({});
            drop(socket.emit("auth", &auth.unwrap_or(none)));
            std::future::ready(())
        };
        state.io().ns(namespace, connected);
    }
    process::serve_until(listener, &state, std::future::pending()).await;
    Ok(())
}

/// A library that only takes over sessions.
struct Opened(Box<dyn Fn(Box<Link>, ::http::Request<()>) + Send + Sync>);

impl Library for Opened {
    fn take(&self, link: Box<Link>, request: ::http::Request<()>) {
        (self.0)(link, request);
    }
}

impl Knows for Opened {
    fn knows(&self, _: &str, _: Sid) -> bool {
        false
    }
}

/// An Engine.IO server without Socket.IO.
struct Echo(EngineIoService<Handler>);

impl Library for Echo {
    fn take(&self, link: Box<Link>, request: ::http::Request<()>) {
        drop(self.0.clone().call((link, request)));
    }
}

impl Knows for Echo {
    fn knows(&self, _: &str, _: Sid) -> bool {
        false
    }
}

#[derive(Debug)]
struct Handler;

impl EngineIoHandler for Handler {
    type Data = ();

    fn on_connect(self: Arc<Self>, _: Arc<engineioxide::Socket<()>>) {}

    fn on_disconnect(&self, _: Arc<engineioxide::Socket<()>>, _: DisconnectReason) {}

    fn on_message(self: &Arc<Self>, text: Str, socket: Arc<engineioxide::Socket<()>>) {
        drop(socket.emit(text));
    }

    fn on_binary(self: &Arc<Self>, bytes: Bytes, socket: Arc<engineioxide::Socket<()>>) {
        drop(socket.emit_binary(bytes));
    }
}

/// Answers `message` with `message-back`, and `message-with-ack` in its acknowledgement.
struct Answer(State);

impl MessageHandler<LocalAdapter, ()> for Answer {
    fn call(&self, socket: Arc<socketioxide::socket::Socket<LocalAdapter>>, value: Value, ack: Option<i64>) {
        let socket = SocketRef::from(socket);
        let (Value::Str(text, attachments), Some(wire)) = (value, socket::caller::wire(&self.0, &socket))
        else {
            return;
        };
        let attachments = attachments.unwrap_or_default();
        let inner = text
            .as_str()
            .strip_prefix("[\"e\",")
            .and_then(|text| text.strip_suffix(']'));
        let inner = inner.unwrap_or_default();
        let namespace = match socket.ns() {
            "/" => String::new(),
            namespace => format!("{namespace},"),
        };
        let (kind, binary, id, body) = match (inner.strip_prefix("[\"message\""), ack) {
            (Some(rest), _) => (2, 5, String::new(), format!("[\"message-back\"{rest}")),
            (None, Some(id)) => {
                let rest = inner.split_once(',').map_or("]", |(_, rest)| rest);
                (3, 6, id.to_string(), format!("[{rest}"))
            }
            _ => return,
        };
        let head = match attachments.len() {
            0 => format!("4{kind}"),
            count => format!("4{binary}{count}-"),
        };
        wire.send(&engine::text(&format!("{head}{namespace}{id}{body}")));
        for bytes in attachments {
            wire.send(&engine::binary(&bytes));
        }
    }
}
