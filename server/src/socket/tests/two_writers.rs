//! Checks the facts of `live/facts.rs` with the real library: it and the fan-out write to one connection that takes a
//! few bytes at a time, and every frame arrives whole.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use socket2::{Domain, SockRef, Socket, Type};

use super::{ANSWER, Client, server};
use crate::live::audience::Audience;
use crate::socket::caller::wire;
use crate::state::State;

/// How many packets each of the two writes.
const PACKETS: usize = 150;
/// The longest packets. Some need the longest header of a frame, most the middle one.
const LONGEST: usize = 20_000;
const VERY_LONG: usize = 70_000;
/// Commands, whose answers bypass the library.
const COMMANDS: usize = 50;

/// A connection that is read a little at a time.
struct Sips {
    tcp: std::net::TcpStream,
    random: fastrand::Rng,
}

impl Sips {
    fn open(address: SocketAddr) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4 * 1024).unwrap();
        socket.connect(&address.into()).unwrap();
        let tcp = std::net::TcpStream::from(socket);
        tcp.set_read_timeout(Some(ANSWER)).unwrap();
        let random = fastrand::Rng::with_seed(1);
        Self { tcp, random }
    }
}

impl Read for Sips {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.random.u32(0..20) == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        let sip = into.len().min(self.random.usize(1..2_000));
        self.tcp.read(&mut into[..sip])
    }
}

impl Write for Sips {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tcp.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

/// A packet whose length depends on its number.
fn packet(number: usize, salt: usize) -> Value {
    let length = if number % 40 == 7 {
        VERY_LONG
    } else {
        (number * 7_919 + salt) % LONGEST
    };
    json!({ "number": number, "text": "x".repeat(length), "length": length })
}

/// Both write all their packets at the same time.
async fn talk(state: &State) {
    let sockets = state.io().of("/chat").unwrap().sockets();
    let [socket] = &sockets[..] else {
        panic!("one client is connected");
    };
    let wire = wire(state, socket).unwrap();
    SockRef::from(wire.tcp().unwrap())
        .set_send_buffer_size(4 * 1024)
        .unwrap();
    let audience = Audience::default();
    audience.enter(&wire);
    let library = async {
        for number in 0..PACKETS {
            assert!(socket.emit("library", &packet(number, 1)).is_ok());
            tokio::task::yield_now().await;
        }
    };
    let room = async {
        for number in 0..PACKETS {
            audience.tell("room", &packet(number, 2)).await;
            // Keeps some bytes waiting, but not all of them.
            while wire.account().waiting() > 10 * LONGEST {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    };
    tokio::join!(library, room);
}

/// Reads everything, as a client would.
fn hear(client: &mut Client<Sips>) {
    let (mut library, mut room, mut answers) = (0, 0, 0);
    for id in 0..COMMANDS {
        client.say(&format!("42/chat,{id}[\"nothing\",{{}}]"));
    }
    while library < PACKETS || room < PACKETS || answers < COMMANDS {
        let packet = client.hear("");
        assert!(
            !packet.starts_with('0'),
            "clients do not get the library's greeting"
        );
        if let Some(event) = packet.strip_prefix("42/chat,") {
            let (name, data): (String, Value) = serde_json::from_str(event).expect("a whole event");
            let next = match name.as_str() {
                "library" => &mut library,
                "room" => &mut room,
                _ => continue,
            };
            assert_eq!(data["number"], *next, "each writer's packets in order");
            let text = data["text"]
                .as_str()
                .map(|text| (text.len(), text.trim_matches('x')));
            assert_eq!(text, Some((data["length"].as_u64().unwrap() as usize, "")));
            *next += 1;
        } else if let Some(answer) = packet.strip_prefix("43/chat,") {
            let (id, answer) = answer.split_at(answer.find('[').expect("an answer"));
            assert_eq!(id.parse(), Ok(answers), "each command is answered once, in order");
            let answer: Value = serde_json::from_str(answer).expect("a whole answer");
            assert_eq!(answer[0]["error"]["code"], "unknown_command");
            answers += 1;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn frames_of_the_library_and_of_the_fan_out_arrive_whole() {
    let (address, state, _folder) = server().await;
    let connecting = move || {
        let mut client = Client::over(address, Sips::open(address), "/chat,");
        // The handler has run, because its first event has arrived.
        client.hear("42/chat,[\"welcome\"");
        client
    };
    let mut client = tokio::task::spawn_blocking(connecting).await.unwrap();
    let hearing = tokio::task::spawn_blocking(move || hear(&mut client));
    talk(&state).await;
    hearing.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_extension_is_agreed_to() {
    let (address, _state, _folder) = server().await;
    let asking = move || {
        let mut tcp = std::net::TcpStream::connect(address).unwrap();
        tcp.set_read_timeout(Some(ANSWER)).unwrap();
        let request = format!(
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\n\
             upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             sec-websocket-extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
        );
        tcp.write_all(request.as_bytes()).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            tcp.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        String::from_utf8(head).unwrap().to_lowercase()
    };
    let head = tokio::task::spawn_blocking(asking).await.unwrap();
    assert!(head.starts_with("http/1.1 101"), "{head}");
    assert!(!head.contains("sec-websocket-extensions"), "{head}");
}
