//! Requests that never complete are answered and closed.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::memory::figure;
use crate::support::running::{Server, status};

/// Well after the deadline of 10 s, even on a slow machine.
const AT_MOST: Duration = Duration::from_secs(30);

/// Sends `head`, then `drip` every tenth of a second. Returns the answer, and how long the server took to close the
/// connection.
fn answer(server: &Server, head: &str, drip: &str) -> (String, Duration) {
    let mut stream = TcpStream::connect(server.addr).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let (started, mut answer, mut buffer) = (Instant::now(), Vec::new(), [0; 4_096]);
    while started.elapsed() < AT_MOST {
        // After the answer, the server reads nothing more.
        let _ = stream.write_all(drip.as_bytes());
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => answer.extend(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            // The server closes while drips are unread.
            Err(_) => break,
        }
    }
    (String::from_utf8_lossy(&answer).into_owned(), started.elapsed())
}

#[test]
fn a_body_must_keep_coming() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    let opened = server.get("/socket.io/?EIO=4&transport=polling", "");
    let sid = opened.split("\"sid\":\"").nth(1).unwrap();
    let sid = sid.split('"').next().unwrap();
    let polling = format!("/socket.io/?EIO=4&transport=polling&sid={sid}");
    let length = "Content-Length: 100000\r\n";
    let chunked = "Transfer-Encoding: chunked\r\n";
    thread::scope(|scope| {
        for (path, how, drip) in [
            ("/session", length, ""),
            ("/session", length, "a"),
            ("/session", chunked, "1\r\na\r\n"),
            ("/rooms/lobby/messages", length, "text=a"),
            ("/api/v1/sign_in", length, ""),
            (polling.as_str(), length, "4"),
        ] {
            let server = &server;
            scope.spawn(move || {
                let head = format!(
                    "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n{how}\r\n",
                    server.addr
                );
                let (answer, after) = answer(server, &head, drip);
                assert_eq!(status(&answer), "408", "{path} {drip:?} {after:?}: {answer}");
                assert!(after < AT_MOST, "{path} {drip:?}: closed after {after:?}");
                assert!(answer.to_lowercase().contains("connection: close"), "{answer}");
                let json = answer.contains(r#"{"error":{"code":"bad_request","message":"the request body"#);
                assert_eq!(json, path.starts_with("/api/v1/"), "{answer}");
            });
        }
    });
    assert_eq!(figure(&server, "hubbub_requests_late_total"), 6);
    assert_eq!(figure(&server, "hubbub_waiting_bytes"), 0);
}

#[test]
fn a_slow_but_steady_body_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    let form = format!("name=Ada&next=%2F&more={}", "x".repeat(60_000));
    let mut stream = TcpStream::connect(server.addr).unwrap();
    stream.set_read_timeout(Some(AT_MOST)).unwrap();
    write!(
        stream,
        "POST /session HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        server.addr,
        form.len()
    )
    .unwrap();
    // 12 s in all, at 5 KB per second.
    for part in form.as_bytes().chunks(2_500) {
        stream.write_all(part).unwrap();
        thread::sleep(Duration::from_millis(500));
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(status(&answer), "303", "{answer}");
}

#[test]
fn an_idle_http_connection_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    let head = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", server.addr);
    let (said, after) = answer(&server, &head, "");
    assert_eq!(status(&said), "200");
    assert!(after < AT_MOST, "{after:?}");
}
