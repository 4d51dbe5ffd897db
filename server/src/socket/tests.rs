//! A server and a client in this process, for faults that no client can cause.

mod away;
mod in_order;
mod two_writers;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chat::hub::Ports;
use socketioxide::extract::SocketRef;
use socketioxide::handler::ConnectHandler as _;
use tungstenite::{Message, WebSocket};

use super::caller::{connect, peer, wire};
use crate::config::Config;
use crate::process;
use crate::state::State;

/// Longer than any answer takes.
const ANSWER: Duration = Duration::from_secs(20);

/// A server on a free port, with its own folder, for as long as the test's runtime.
async fn server() -> (SocketAddr, State, tempfile::TempDir) {
    server_on(|ports| ports).await
}

/// As [`server`], with a wrapper around the ports.
async fn server_on(ports: impl FnOnce(Ports) -> Ports) -> (SocketAddr, State, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("site");
    for (part, file) in [("pkg", "hubbub.js"), ("vendor", "socket.io-0.js")] {
        std::fs::create_dir_all(site.join(part)).unwrap();
        std::fs::write(site.join(part).join(file), "").unwrap();
    }
    let path = |name: &str| Some(folder.path().join(name).display().to_string());
    let config = Config::parse(|name| match name {
        "HUBBUB_ADDR" => Some("127.0.0.1:0".to_owned()),
        "HUBBUB_DATA_DIR" => path("data"),
        "HUBBUB_SITE_DIR" => path("site"),
        _ => None,
    });
    let config = config.unwrap();
    let listener = crate::listener::bind(config.addr).unwrap();
    let address = listener.local_addr().unwrap();
    let state = process::open_with(config, ports, super::server::Server::new)
        .await
        .unwrap();
    let serving = state.clone();
    tokio::spawn(async move { process::serve_until(listener, &serving, std::future::pending()).await });
    (address, state, folder)
}

/// A client that sends and receives raw packets.
struct Client<S = TcpStream>(WebSocket<S>);

impl Client {
    /// Connects to a namespace: `/chat,`, or an empty string for `/`.
    fn connect(address: SocketAddr, namespace: &str) -> Self {
        let tcp = TcpStream::connect(address).unwrap();
        tcp.set_read_timeout(Some(ANSWER)).unwrap();
        Self::over(address, tcp, namespace)
    }
}

impl<S: Read + Write> Client<S> {
    /// Connects to a namespace over this connection.
    fn over(address: SocketAddr, tcp: S, namespace: &str) -> Self {
        let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
        let Ok((socket, _)) = tungstenite::client(url, tcp) else {
            panic!("no WebSocket");
        };
        let mut client = Self(socket);
        client.say(&format!("40{namespace}"));
        client.hear(&format!("40{namespace}"));
        client
    }

    fn say(&mut self, packet: &str) {
        self.0.send(Message::text(packet)).unwrap();
    }

    /// The next packet with this beginning.
    fn hear(&mut self, beginning: &str) -> String {
        loop {
            let packet = self.0.read().unwrap().into_text().unwrap().to_string();
            if packet.starts_with(beginning) {
                return packet;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_panics_is_answered_and_the_next_ones_too() {
    let (address, _state, _folder) = server().await;
    let talk = move || {
        let mut client = Client::connect(address, "/chat,");
        for (id, event) in ["panic", "nothing", "panic", "nothing"].iter().enumerate() {
            client.say(&format!("42/chat,{id}[\"{event}\",{{}}]"));
        }
        for (id, code) in ["internal", "unknown_command", "internal", "unknown_command"]
            .iter()
            .enumerate()
        {
            let answer = client.hear(&format!("43/chat,{id}["));
            assert!(answer.contains(&format!("\"code\":\"{code}\"")), "{answer}");
        }
    };
    tokio::task::spawn_blocking(talk).await.unwrap();
}

/// The library answers a CONNECT before it is ready for the next one of the same namespace. The handler here prolongs
/// that time.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_namespace_is_connected_again_while_the_library_is_cleaning_up() {
    const BUSY: Duration = Duration::from_millis(60);
    let (address, state, _folder) = server().await;
    let refuse = Arc::new(AtomicBool::new(false));
    let connected = Arc::new(AtomicUsize::new(0));
    let (refused, counted) = (Arc::clone(&refuse), Arc::clone(&connected));
    let shared = state.clone();
    let middleware = move |socket: SocketRef| {
        let result = match connect(&shared, &socket) {
            Ok(_) if refused.load(Ordering::Relaxed) => Err("not now".to_owned()),
            Ok(_) => {
                counted.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Err(repeated) => Err(repeated.to_string()),
        };
        std::future::ready(result)
    };
    let handler = move |_: SocketRef| {
        std::thread::sleep(BUSY);
        std::future::ready(())
    };
    state.io().ns("/", handler.with(middleware));
    let talk = move || {
        let mut client = Client::connect(address, "/chat,");
        client.say("40");
        client.hear("40{");
        for again in 1..=10 {
            client.say("41");
            client.say("40");
            client.hear("40{");
            assert_eq!(connected.load(Ordering::Relaxed), again + 1);
        }
        client.say("41");
        refuse.store(true, Ordering::Relaxed);
        for _ in 0..10 {
            client.say("40");
            assert_eq!(client.hear("44"), r#"44{"message":"not now"}"#);
        }
        refuse.store(false, Ordering::Relaxed);
        client.say("40");
        client.hear("40{");
        // Any answer to a repeated CONNECT arrives before this.
        std::thread::sleep(BUSY);
        client.say("42/chat,1[\"nothing\",{}]");
        assert!(client.hear("4").starts_with("43/chat,1["));
    };
    tokio::task::spawn_blocking(talk).await.unwrap();
}

/// What a client sends just before it goes waits for the connect handler. If the handler did not find the peer, the
/// commands would be lost, and those that want answers would hold the socket and its connection forever.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_connect_handler_finds_its_peer_after_the_client_has_gone() {
    let (address, state, _folder) = server().await;
    let (shared, waiting) = (state.clone(), state.clone());
    let middleware = move |socket: SocketRef| {
        let result = connect(&shared, &socket).map(|(peer, _)| {
            // As an inbox does.
            socket.on_fallback(move |_: SocketRef| {
                let _held = &peer;
                std::future::ready(())
            });
        });
        std::future::ready(result)
    };
    let (found, finding) = tokio::sync::oneshot::channel();
    let found = Arc::new(Mutex::new(Some(found)));
    let handler = move |socket: SocketRef| {
        let (waiting, found) = (waiting.clone(), Arc::clone(&found));
        async move {
            let wire = wire(&waiting, &socket).unwrap();
            while !wire.is_ended() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let peer = peer(&waiting, &socket).map(|peer| Arc::downgrade(&peer));
            if let Some(found) = found.lock().unwrap().take() {
                found.send(peer).ok();
            }
        }
    };
    state.io().ns("/", handler.with(middleware));
    let talk = move || drop(Client::connect(address, ""));
    tokio::task::spawn_blocking(talk).await.unwrap();
    let peer = finding.await.unwrap().expect("the handler finds its peer");
    while peer.strong_count() > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
