//! A raw WebSocket, for input that no well-behaved client sends.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::running::Server;

pub const OPEN: &str = "/socket.io/?EIO=4&transport=websocket";
/// The example of RFC 6455.
pub const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
pub const ACCEPT: &str = "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A text frame as clients send it, masked with zeros.
pub fn frame(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap();
    let mut frame = vec![0x81, 0x80 | 126];
    frame.extend(length.to_be_bytes());
    frame.extend([0; 4]);
    frame.extend(text.as_bytes());
    frame
}

pub struct WebSocket {
    pub stream: TcpStream,
    read: Vec<u8>,
}

impl WebSocket {
    /// Requests a WebSocket and sends `early` in the same write.
    pub fn open(server: &Server, path: &str, early: &[u8]) -> Self {
        let mut stream = TcpStream::connect(server.addr).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n{KEY}\r\n",
            server.addr
        );
        stream.write_all(&[request.as_bytes(), early].concat()).unwrap();
        let mut socket = Self {
            stream,
            read: Vec::new(),
        };
        let head = loop {
            if let Some(end) = socket.read.windows(4).position(|four| four == b"\r\n\r\n") {
                break socket.read.drain(..end + 4).collect::<Vec<u8>>();
            }
            socket.more();
        };
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        assert!(head.contains(ACCEPT), "{head}");
        socket
    }

    pub fn more(&mut self) {
        let mut buffer = [0; 4_096];
        let count = self.stream.read(&mut buffer).unwrap();
        assert_ne!(count, 0, "the server has closed");
        self.read.extend(&buffer[..count]);
    }

    pub fn send(&mut self, text: &str) {
        self.stream.write_all(&frame(text)).unwrap();
    }

    pub fn next(&mut self) -> String {
        loop {
            if let [_, length, rest @ ..] = self.read.as_slice() {
                let (header, length) = match (length, rest) {
                    (126, [high, low, ..]) => (4, usize::from(u16::from_be_bytes([*high, *low]))),
                    (0..126, _) => (2, usize::from(*length)),
                    _ => (2, usize::MAX / 2),
                };
                if self.read.len() >= header + length {
                    let frame: Vec<u8> = self.read.drain(..header + length).collect();
                    return String::from_utf8(frame[header..].to_vec()).unwrap();
                }
            }
            self.more();
        }
    }

    /// The next packet with this beginning.
    pub fn expect(&mut self, beginning: &str) -> String {
        loop {
            let packet = self.next();
            if packet.starts_with(beginning) {
                return packet;
            }
        }
    }

    /// Sends a command and waits for its answer.
    pub fn ask(&mut self, command: &str) -> String {
        self.send(&format!("42/chat,7{command}"));
        self.expect("43/chat,7")
    }

    pub fn guest(server: &Server) -> Self {
        let mut socket = Self::open(server, OPEN, &[]);
        socket.send(r#"40/chat,{"protocol":2}"#);
        socket.expect("40/chat,");
        socket.ask(r#"["sign_in",{"name":"Ada"}]"#);
        socket
    }
}
