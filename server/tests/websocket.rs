//! How a WebSocket starts and ends, with raw input that no well-behaved client sends.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::raw::{KEY, OPEN, WebSocket, frame};
use crate::support::running::{Server, status};

fn server() -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[("HUBBUB_LIMITS", "off")]);
    (folder, server)
}

#[test]
fn bytes_that_follow_the_request_are_not_lost() {
    let (_folder, server) = server();
    let early = frame(r#"40/chat,{"protocol":2}"#);
    let mut socket = WebSocket::open(&server, OPEN, &early);
    assert!(socket.next().starts_with("0{"));
    assert!(socket.expect("40/chat,").contains("sid"));
    assert!(socket.next().contains("welcome"), "it is the first event");
    assert!(socket.ask(r#"["sign_in",{"name":"Ada"}]"#).contains("Ada"));
}

#[test]
fn an_invalid_handshake_is_answered() {
    let (_folder, server) = server();
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    let right = format!("{upgrade}Sec-WebSocket-Version: 13\r\n{KEY}");
    for (path, headers, expected, said) in [
        (
            OPEN,
            format!("{upgrade}Sec-WebSocket-Version: 13\r\n"),
            "400",
            "Sec-WebSocket-Key",
        ),
        (
            OPEN,
            format!("{upgrade}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n"),
            "400",
            "Sec-WebSocket-Key",
        ),
        (
            OPEN,
            format!("{upgrade}Sec-WebSocket-Version: 8\r\n{KEY}"),
            "426",
            "sec-websocket-version: 13",
        ),
        (
            OPEN,
            format!("Sec-WebSocket-Version: 13\r\n{KEY}"),
            "426",
            "upgrade: websocket",
        ),
        (
            "/socket.io/?EIO=3&transport=websocket",
            right.clone(),
            "400",
            "Unsupported protocol version",
        ),
        (
            "/socket.io/?EIO=4&transport=websocket&sid=?",
            right.clone(),
            "400",
            "Session ID unknown",
        ),
        (
            "/socket.io/?EIO=4&transport=smoke",
            right.clone(),
            "400",
            "Transport unknown",
        ),
    ] {
        let mut request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{headers}", server.addr);
        if !headers.contains("Connection") {
            request.push_str("Connection: close\r\n");
        }
        let answer = answer(&server, &format!("{request}\r\n"));
        assert_eq!(status(&answer), expected, "{request} {answer}");
        assert!(answer.contains(said), "{request} {answer}");
    }
}

/// The answer to a request on a connection that may stay open.
fn answer(server: &Server, request: &str) -> String {
    let mut stream = TcpStream::connect(server.addr).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = vec![0; 4_096];
    let mut length = 0;
    loop {
        let count = stream.read(&mut answer[length..]).unwrap_or(0);
        length += count;
        let text = String::from_utf8_lossy(&answer[..length]).into_owned();
        let body = text.split_once("\r\n\r\n").map(|(_, body)| body);
        if count == 0 || body.is_some_and(|body| !body.is_empty()) {
            return text;
        }
    }
}

#[test]
fn polling_becomes_a_websocket() {
    let (_folder, server) = server();
    let polling = "/socket.io/?EIO=4&transport=polling";
    let opened = server.get(polling, "");
    let sid = opened.split("\"sid\":\"").nth(1).unwrap();
    let sid = sid.split('"').next().unwrap();
    let connect = r#"40/chat,{"protocol":2}"#;
    let posted = server.post(&format!("{polling}&sid={sid}"), "", connect);
    assert_eq!(status(&posted), "200", "{posted}");
    let mut polled = String::new();
    while !polled.contains("welcome") {
        polled.push_str(&server.get(&format!("{polling}&sid={sid}"), ""));
    }
    let mut socket = WebSocket::open(&server, &format!("{OPEN}&sid={sid}"), &frame("2probe"));
    assert_eq!(socket.next(), "3probe");
    socket.send("5");
    assert!(socket.ask(r#"["sign_in",{"name":"Ada"}]"#).contains("Ada"));
}

#[test]
fn commands_sent_before_the_end_are_handled() {
    const SENDS: usize = 300;
    let (_folder, server) = server();
    let mut leaving = WebSocket::guest(&server);
    leaving.ask(r#"["join",{"room":"lobby"}]"#);
    let mut sends = Vec::new();
    for n in 0..SENDS {
        let mut send = String::new();
        // Another command between the sends, so that they are not all stored together.
        write!(
            send,
            r#"42/chat,["send",{{"room":"lobby","messages":[{{"client_id":"c-{n}","text":"{n}"}}]}}]"#
        )
        .unwrap();
        sends.extend(frame(&send));
        sends.extend(frame(r#"42/chat,["typing",{"room":"lobby","typing":true}]"#));
    }
    // A close frame, in the same write.
    sends.extend([0x88, 0x80, 0, 0, 0, 0]);
    leaving.stream.write_all(&sends).unwrap();
    drop(leaving);

    let mut staying = WebSocket::guest(&server);
    let until = Instant::now() + Duration::from_secs(15);
    loop {
        // The order matters: between the two answers, the last messages may be stored and their author leave.
        let roster = staying.ask(r#"["roster",{"room":"lobby"}]"#);
        let history = staying.ask(r#"["history",{"room":"lobby"}]"#);
        let gone = roster.contains("\"here\":0");
        if history.contains(&format!("\"seq\":{SENDS},")) && gone {
            return;
        }
        assert!(!gone, "everything is stored before the author leaves: {history}");
        assert!(Instant::now() < until, "{history} {roster}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn idle_connections_do_not_delay_the_stop() {
    let (_folder, mut server) = server();
    let mut idle: Vec<WebSocket> = (0..5).map(|_| WebSocket::guest(&server)).collect();
    for socket in &mut idle {
        socket.ask(r#"["join",{"room":"lobby"}]"#);
    }
    let started = Instant::now();
    server.terminate();
    assert!(idle[0].expect("42/chat,[\"come_back\"").contains("after_ms"));
    assert!(server.child.wait().unwrap().success());
    assert!(
        started.elapsed() < Duration::from_secs(4),
        "{:?}",
        started.elapsed()
    );
}
