//! Malformed and hostile requests, generated from a seed: each is answered or its connection closed, nothing panics,
//! and the server works as well afterwards as before.
//!
//! `HUBBUB_FUZZ_REQUESTS` sets how many must be answered (default: 10,000), `HUBBUB_FUZZ_SEED` the seed.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::support::running::{Server, hubbub, status};

/// The answer, or the end of the connection, must come within this time.
const PATIENCE: Duration = Duration::from_secs(20);
/// The most requests on one connection.
const TOGETHER: u64 = 20;

/// Marsaglia's xorshift: the same seed makes the same requests on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % sides
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.roll(of.len())]
    }

    fn bytes(&mut self, up_to: usize) -> Vec<u8> {
        (0..self.roll(up_to)).map(|_| self.roll(256) as u8).collect()
    }
}

const METHODS: &[&str] = &[
    "GET", "GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PATCH",
    "get", "X", "", "G\0T", "GET GET",
];

const TARGETS: &[&str] = &[
    "/",
    "/rooms/lobby",
    "/rooms/lobby?before=9",
    "/rooms/lobby?before=99999999999999999999",
    "/rooms/",
    "/rooms/a/b",
    "/rooms/%00",
    "/rooms/%FF",
    "/rooms/lobby/messages",
    "/api/",
    "/api/rooms/lobby?before=-1",
    "/api",
    "/pkg/hubbub.js",
    "/pkg/%2e%2e/%2e%2e/etc/passwd",
    "/pkg/../../etc/passwd",
    "/vendor/",
    "//",
    "//evil.example",
    "/\\",
    "/%",
    "/%zz",
    "/%00",
    "/%7F",
    "/a\u{7f}b",
    "/ü",
    "?",
    "?x",
    "x",
    "*",
    "",
    "example.org:80",
    "http://",
    "http:///",
    "http://x/",
    "http://127.0.0.1/",
    "https://user@127.0.0.1/",
    "file:///etc/passwd",
    "javascript:x",
    "/session",
    "/session/end",
    "/rooms",
    "/theme",
    "/healthz",
    "/readyz",
    "/metrics",
    "/socket.io",
    "/socket.io/",
    "/socket.io/?EIO=4",
    "/socket.io/?EIO=4&transport=polling",
    "/socket.io/?EIO=4&transport=websocket",
    "/socket.io/?EIO=4&transport=polling&sid=x",
    "/socket.io/?EIO=9&transport=x&sid=",
    "/socket.io/socket.io.js",
    "/socket.io/../x",
    "/socket.iox",
    "/?problem=%00&room=<b>",
];

const HEADERS: &[&str] = &[
    "Host: 127.0.0.1",
    "Host: 127.0.0.1",
    "Host: evil.example",
    "Host:",
    "Host: a b",
    "Host: [::1",
    "Host: 127.0.0.1:99999",
    "Host: \u{e9}.example",
    "Content-Length: 0",
    "Content-Length: 3",
    "Content-Length: -1",
    "Content-Length: 9, 9",
    "Content-Length: 99999999999999999999",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: chunked, chunked",
    "Transfer-Encoding: gzip",
    "Expect: 100-continue",
    "Connection: upgrade",
    "Connection: keep-alive",
    "Connection: close",
    "Upgrade: websocket",
    "Upgrade: h2c",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Version: 99",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Key: x",
    "Origin: null",
    "Origin: https://evil.example",
    "Origin: \u{fc}",
    "Cookie: hubbub_session=x; hubbub_theme=dark",
    "Cookie: =;=;;;",
    "Cookie: a=\u{ff}",
    "Range: bytes=0-0",
    "Range: bytes=9-1",
    "Range: bytes=-",
    "If-None-Match: *",
    "If-Modified-Since: yesterday",
    "Accept-Encoding: br;q=NaN, gzip",
    "Accept-Encoding: ,,,;;;q=",
    "X-Forwarded-For: 1.2.3.4, x",
    "X-Forwarded-Proto: ,",
    "Access-Control-Request-Method: X",
    "Content-Type: application/x-www-form-urlencoded",
    "Content-Type: multipart/form-data",
    "X: y\r\n folded",
    ": x",
    "x",
    "X\0: y",
    "\u{e9}: y",
];

const BODIES: &[&str] = &[
    "",
    "name=Ada",
    "name=%00",
    "name=%FF&next=//x",
    "text=a&client_id=",
    "theme=x",
    "0\r\n\r\n",
    "3\r\nabc\r\n0\r\n\r\n",
    "ffffffffffffffff\r\n",
    "-1\r\n",
    "2:40",
    "1:2",
    "40",
];

fn request(dice: &mut Dice) -> Vec<u8> {
    let version = dice.one(&[
        "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/1", "",
    ]);
    let mut target = dice.one(TARGETS).to_owned();
    match dice.roll(12) {
        0 => target.push_str(&"a".repeat(dice.roll(3_000))),
        1 => target.push_str(&"/".repeat(dice.roll(500))),
        2 => target = format!("/{}", "%41".repeat(dice.roll(300))),
        _ => {}
    }
    let mut text = format!("{} {target} {version}\r\n", dice.one(METHODS));
    if dice.roll(10) > 0 {
        text.push_str("Host: 127.0.0.1\r\n");
    }
    for _ in 0..dice.roll(5) {
        text.push_str(dice.one(HEADERS));
        text.push_str("\r\n");
    }
    let many = if dice.roll(60) == 0 { dice.roll(150) } else { 0 };
    for n in 0..many {
        text.push_str(&format!("X-{n}: {}\r\n", "y".repeat(dice.roll(200))));
    }
    text.push_str(if dice.roll(20) == 0 { "\n" } else { "\r\n" });
    text.push_str(dice.one(BODIES));
    let mut bytes = text.into_bytes();
    // Replace a few bytes.
    if dice.roll(4) == 0 {
        for _ in 0..dice.roll(4) {
            let at = dice.roll(bytes.len());
            bytes[at] = dice.roll(256) as u8;
        }
    }
    if dice.roll(50) == 0 {
        bytes = dice.bytes(400);
    }
    bytes
}

/// Sends some requests on one connection and reads until it is closed. Returns how many were answered.
fn converse(server: SocketAddr, dice: &mut Dice) -> u64 {
    let mut stream = TcpStream::connect(server).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    let count = 1 + dice.roll(TOGETHER as usize) as u64;
    let requests: Vec<u8> = (0..count).flat_map(|_| request(dice)).collect();
    // The server may close before it has read everything.
    let _ = stream.write_all(&requests);
    let _ = stream.shutdown(Shutdown::Write);
    let (begun, mut buffer, mut answers) = (Instant::now(), [0; 16 * 1024], Vec::<u8>::new());
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) if begun.elapsed() < PATIENCE => answers.extend(&buffer[..read]),
            Ok(_) => panic!(
                "no end after {PATIENCE:?}: {}",
                String::from_utf8_lossy(&requests)
            ),
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                ) =>
            {
                panic!(
                    "no answer within {PATIENCE:?}: {}",
                    String::from_utf8_lossy(&requests)
                )
            }
            Err(_) => break,
        }
    }
    answers.windows(9).filter(|nine| nine == b"HTTP/1.1 ").count() as u64
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or(otherwise)
}

#[test]
fn hostile_requests_are_answered_and_nothing_panics() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let file = std::fs::File::create(&log).unwrap();
    let pings = [("HUBBUB_PING_INTERVAL", "2"), ("HUBBUB_PING_TIMEOUT", "2")];
    let server = Server::run(
        hubbub(folder.path(), &pings)
            .env("HUBBUB_LIMITS", "off")
            .stderr(file),
    );
    let (wanted, seed) = (
        number("HUBBUB_FUZZ_REQUESTS", 10_000),
        number("HUBBUB_FUZZ_SEED", 12),
    );
    let converse = |n: u64| {
        // A seed of zero would stay zero.
        let mut dice = Dice((seed << 8 | n).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut answered = 0;
        while answered < wanted / 4 {
            answered += converse(server.addr, &mut dice);
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|n| scope.spawn(move || converse(n))).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
    let log = std::fs::read_to_string(&log).unwrap();
    assert!(!log.contains("panicked"), "{log}");
    for path in ["/healthz", "/", "/rooms/lobby", "/pkg/hubbub.js"] {
        assert_eq!(status(&server.get(path, "")), "200", "{path}");
    }
}
