//! Peers that read slowly or not at all: what they cost, and when they are cut.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::memory::{figure, peak_until, resident};
use crate::support::running::Server;

/// Starts a server with this many messages of the greatest length, 32 KB, in its lobby.
fn server(folder: &std::path::Path, messages: usize) -> Server {
    let server = Server::start(folder, &[]);
    let mut writer = Socket::guest(&server);
    writer.ask(r#"["join",{"room":"lobby"}]"#);
    // Sends as many as fit in the connection's line before waiting for answers.
    let text = "\u{1f600}".repeat(8_000);
    for n in 1..=messages {
        let message = format!(r#"{{"client_id":"c-{n}","text":"{text}"}}"#);
        writer.send(&format!(
            r#"42/chat,{n}["send",{{"room":"lobby","messages":[{message}]}}]"#
        ));
        if n % 40 == 0 || n == messages {
            writer.expect(&format!(r#"43/chat,{n}[{{"ok""#));
        }
    }
    server
}

/// A WebSocket that is read only when the test says so.
struct Socket(TcpStream);

impl Socket {
    fn guest(server: &Server) -> Self {
        Self::over(TcpStream::connect(server.addr).unwrap(), server)
    }

    fn over(mut stream: TcpStream, server: &Server) -> Self {
        stream.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
        let request = format!(
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            server.addr
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut socket = Self(stream);
        socket.send(r#"40/chat,{"protocol":2}"#);
        socket.expect("welcome");
        socket.ask(r#"["sign_in",{"name":"Ada"}]"#);
        socket
    }

    fn frame(text: &str) -> Vec<u8> {
        let mut frame = vec![0x81];
        match u16::try_from(text.len()) {
            Ok(length @ 0..126) => frame.push(0x80 | u8::try_from(length).unwrap()),
            Ok(length) => {
                frame.push(0x80 | 126);
                frame.extend(length.to_be_bytes());
            }
            Err(_) => {
                frame.push(0x80 | 127);
                frame.extend((text.len() as u64).to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        frame
    }

    fn send(&mut self, text: &str) {
        self.0.write_all(&Self::frame(text)).unwrap();
    }

    /// Reads until the input since the last call contains this.
    fn expect(&mut self, part: &str) -> String {
        let mut read = Vec::new();
        let mut buffer = [0; 16_384];
        loop {
            let count = self.0.read(&mut buffer).unwrap();
            assert_ne!(count, 0, "the server has closed");
            read.extend(&buffer[..count]);
            // The match may span two reads.
            let from = read.len().saturating_sub(count + part.len());
            if read[from..]
                .windows(part.len())
                .any(|bytes| bytes == part.as_bytes())
            {
                return String::from_utf8_lossy(&read).into_owned();
            }
        }
    }

    fn ask(&mut self, command: &str) -> String {
        self.send(&format!("42/chat,7{command}"));
        self.expect("43/chat,7")
    }
}

#[test]
fn sockets_that_do_not_read_cost_what_the_budget_allows_and_are_cut() {
    const READERS: u64 = 20;
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path(), 100);
    let mut readers: Vec<_> = (0..READERS).map(|_| Socket::guest(&server)).collect();
    let before = resident(&server);
    for reader in &mut readers {
        for _ in 0..6 {
            reader.send(r#"42/chat,1["history",{"room":"lobby","after":0}]"#);
        }
    }
    let gone = || figure(&server, "hubbub_sockets{namespace=\"chat\"}") == 0;
    let peak = peak_until(&server, gone);
    assert!(peak < 150, "{before} MB became {peak} MB");
    let let_go =
        figure(&server, "hubbub_slow_sockets_total") + figure(&server, "hubbub_connections_cut_total");
    assert_eq!(let_go, READERS, "each of them once");
    assert_eq!(figure(&server, "hubbub_waiting_bytes"), 0);
    let mut honest = Socket::guest(&server);
    assert!(
        honest
            .ask(r#"["history",{"room":"lobby"}]"#)
            .contains("43/chat,7")
    );
}

/// Reads 6 KB per second for this long. The connection must last. The kernel counts the time of a full window for as
/// long as anything waits, even if the peer keeps reading.
fn read_slowly(time: Duration) {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path(), 20);
    let tcp = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    tcp.set_recv_buffer_size(16 * 1024).unwrap();
    tcp.connect(&server.addr.into()).unwrap();
    let mut reader = Socket::over(tcp.into(), &server);
    for _ in 0..5 {
        reader.send(r#"42/chat,1["history",{"room":"lobby","after":0}]"#);
    }
    let (mut buffer, mut read, begun) = ([0; 512], 0, Instant::now());
    while begun.elapsed() < time {
        if read < begun.elapsed().as_millis() * 6 {
            let some = reader.0.read(&mut buffer);
            assert!(matches!(some, Ok(1..)), "{some:?} after {:?}", begun.elapsed());
            read += some.unwrap() as u128;
        } else {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A socket that reads nothing is cut after 15 s.
#[test]
fn a_socket_that_reads_slowly_is_not_cut() {
    read_slowly(Duration::from_secs(18));
}

/// Longer than the kernel's timeout, but shorter than the time to answer a ping.
#[test]
#[ignore = "takes 33 s: make soak"]
fn a_socket_that_reads_slowly_for_long_is_not_cut() {
    read_slowly(Duration::from_secs(33));
}

#[test]
fn pongs_that_are_not_read_do_not_pile_up() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    let mut socket = Socket::guest(&server);
    let before = resident(&server);
    let mut pings = Vec::new();
    for _ in 0..1_000 {
        pings.extend([0x89, 0x80 | 125, 0, 0, 0, 0]);
        pings.extend([b'x'; 125]);
    }
    socket
        .0
        .set_write_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    let until = Instant::now() + Duration::from_secs(8);
    let mut sent = 0;
    // The connection may be cut before that.
    let peak = peak_until(&server, || match socket.0.write(&pings[sent % pings.len()..]) {
        Ok(count) => {
            sent += count;
            Instant::now() > until
        }
        Err(error) => {
            let full = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
            !full || Instant::now() > until
        }
    });
    assert!(
        peak < before + 10,
        "{before} MB became {peak} MB after {sent} bytes"
    );
}

#[test]
fn pages_that_are_not_read_cost_what_the_budget_allows_and_are_cut() {
    const READERS: usize = 150;
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path(), 50);
    assert!(server.get("/rooms/lobby", "").contains("</html>"));
    let before = resident(&server);
    let _readers: Vec<TcpStream> = (0..READERS)
        .map(|_| {
            let mut stream = TcpStream::connect(server.addr).unwrap();
            // The page's data, which is as large and faster to make.
            let request = format!("GET /api/rooms/lobby HTTP/1.1\r\nHost: {}\r\n\r\n", server.addr);
            stream.write_all(request.as_bytes()).unwrap();
            stream
        })
        .collect();
    // Only the connection that asks for the metrics is left.
    let peak = peak_until(&server, || figure(&server, "hubbub_tcp_connections") == 1);
    assert!(peak < before + 150, "{before} MB became {peak} MB");
    assert_eq!(figure(&server, "hubbub_waiting_bytes"), 0);
}
