//! How the process stops: within ten seconds, even if something hangs.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::raw::WebSocket;
use crate::support::running::{Server, after, hubbub};

/// The documentation promises this.
const PROMISE: Duration = Duration::from_secs(10);

fn waits(server: &mut Server) -> (std::process::ExitStatus, Duration) {
    let asked = Instant::now();
    let status = server.child.wait().unwrap();
    (status, asked.elapsed())
}

#[test]
fn a_stop_does_not_wait_for_what_hangs() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), &[("HUBBUB_LIMITS", "off")]);
    let session = server.sign_in();
    // Requests that hang: one whose body never arrives, and a poll.
    let mut open: Vec<TcpStream> = Vec::new();
    for request in [
        format!(
            "POST /rooms/lobby/messages HTTP/1.1\r\nHost: {}\r\n{session}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\ntext=",
            server.addr
        ),
        format!(
            "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: {}\r\n\r\n",
            server.addr
        ),
    ] {
        let mut stream = TcpStream::connect(server.addr).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        open.push(stream);
    }
    // Sockets that do not close.
    let mut sockets: Vec<_> = (0..20).map(|_| WebSocket::guest(&server)).collect();
    // Another process holds the database, so every commit waits for seconds.
    let database = rusqlite::Connection::open(folder.path().join("data/hubbub.db")).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    for (n, socket) in sockets.iter_mut().enumerate() {
        for step in 0..4 {
            let message = format!(r#"{{"client_id":"{n:016x}{step:016x}","text":"hello"}}"#);
            socket.send(&format!(
                r#"42/chat,8["send",{{"room":"lobby","messages":[{message}]}}]"#
            ));
            // Keeps it from being stored together with the next one.
            socket.send(r#"42/chat,9["nothing",{}]"#);
        }
    }
    std::thread::sleep(Duration::from_millis(300));
    server.terminate();
    let (_, took) = waits(&mut server);
    assert!(took < PROMISE, "{took:?}");
    drop((open, database));
}

#[test]
fn every_signal_to_stop_says_goodbye() {
    for name in ["HUP", "QUIT", "INT", "TERM"] {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Server::start(folder.path(), &[]);
        let mut socket = WebSocket::guest(&server);
        server.signal(name);
        socket.expect("42/chat,[\"come_back\"");
        drop(socket);
        let (status, took) = waits(&mut server);
        assert!(
            status.success() && took < PROMISE,
            "{name}: {status} after {took:?}"
        );
    }
}

#[test]
fn a_server_under_nohup_outlives_its_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = after("trap '' HUP", &hubbub(folder.path(), &[]));
    command.stderr(Stdio::null());
    let mut server = Server::run(&mut command);
    server.signal("HUP");
    let mut stream = TcpStream::connect(server.addr).unwrap();
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("200 OK"), "{answer}");
    server.terminate();
    assert!(waits(&mut server).0.success());
}
