//! The log, seen from outside: it does no harm, repeats nothing, and reveals nothing.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::raw::{OPEN, WebSocket};
use crate::support::running::{Server, after, hubbub, status};

/// Longer than any of this takes, even on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The server with a limit on the size of each file, which stands for a small disk: writes beyond it fail.
fn on_a_small_disk(folder: &std::path::Path, kilobytes: u32) -> Command {
    let hubbub = hubbub(folder, &[("HUBBUB_LIMITS", "off")]);
    after(&format!("trap '' XFSZ; ulimit -S -f {kilobytes}"), &hubbub)
}

fn make_room(server: &Server) {
    let pid = server.child.id().to_string();
    let mut prlimit = Command::new("prlimit");
    let made = prlimit.args(["--pid", &pid, "--fsize=unlimited"]).status();
    assert!(made.unwrap().success());
}

/// Posts a message. Returns true if it was stored.
fn post(server: &Server, session: &str, number: u32) -> bool {
    let text = "x".repeat(7_000);
    let form = format!("client_id={number:032x}&text={number}+{text}");
    let answer = server.post("/rooms/lobby/messages", session, &form);
    answer.to_lowercase().contains("location: /rooms/lobby\r\n")
}

fn ready(server: &Server) -> bool {
    status(&server.get("/readyz", "")) == "200"
}

fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Fills the disk, makes room, and expects messages to be stored again.
fn survives_a_full_disk(stderr: Stdio) -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::run(on_a_small_disk(folder.path(), 600).stderr(stderr));
    let session = server.sign_in();
    assert!(ready(&server));
    let mut number = 0;
    while post(&server, &session, number) {
        number += 1;
        assert!(number < 10_000, "the disk never fills");
    }
    until("not ready while nothing can be stored", || !ready(&server));
    for _ in 0..200 {
        post(&server, &session, number);
    }
    make_room(&server);
    until("stored again", || post(&server, &session, number));
    until("ready again", || ready(&server));
    (folder, server)
}

#[test]
fn the_server_survives_a_full_disk() {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let (_folder, server) = survives_a_full_disk(full.into());
    let metrics = server.get("/metrics", "");
    assert!(metrics.contains("hubbub_panics_total 0\n"), "{metrics}");
    assert!(!metrics.contains("hubbub_log_lines_lost_total 0\n"), "{metrics}");
}

#[test]
fn the_server_survives_a_dead_log_collector() {
    let (collector, stderr) = std::io::pipe().unwrap();
    drop(collector);
    survives_a_full_disk(stderr.into());
}

#[test]
fn an_outage_is_a_few_lines_and_a_count() {
    let (mut collector, stderr) = std::io::pipe().unwrap();
    let reading = std::thread::spawn(move || {
        let mut text = String::new();
        collector.read_to_string(&mut text).unwrap();
        text
    });
    let (folder, mut server) = survives_a_full_disk(stderr.into());
    server.terminate();
    server.child.wait().unwrap();
    let text = reading.join().unwrap();
    let failures = text
        .lines()
        .filter(|line| line.contains("the storage could not commit"))
        .collect::<Vec<_>>();
    assert!((2..20).contains(&failures.len()), "{text}");
    assert!(
        failures.iter().any(|line| line.contains("more like it")),
        "{text}"
    );
    drop(folder);
}

#[test]
fn a_stalled_log_collector_blocks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (collector, stderr) = std::io::pipe().unwrap();
    let variables = [("HUBBUB_LOG", "trace"), ("HUBBUB_CONNECTIONS_PER_ADDRESS", "1")];
    let mut server = Server::run(hubbub(folder.path(), &variables).stderr(stderr));
    // Each of these causes a log line; a pipe holds a few hundred.
    for _ in 0..3_000 {
        let refused = TcpStream::connect(server.addr).unwrap();
        let also = TcpStream::connect(server.addr).unwrap();
        drop((refused, also));
    }
    until("it answers", || status(&server.get("/healthz", "")) == "200");
    server.terminate();
    let stopped = Instant::now();
    assert!(server.child.wait().unwrap().success());
    assert!(stopped.elapsed() < Duration::from_secs(10), "it stops as usual");
    drop(collector);
}

#[test]
fn no_messages_names_or_tokens_are_logged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let log = File::create(&path).unwrap();
    let variables = [("HUBBUB_LOG", "trace,tungstenite=trace,hyper=trace")];
    let mut server = Server::run(hubbub(folder.path(), &variables).stderr(log));

    // Forms and pages.
    let session = server.sign_in();
    let form = "client_id=00000000000000000000000000000001&text=confidential-form";
    server.post("/rooms/lobby/messages", &session, form);
    server.post("/rooms", &session, "title=Confidential-title");
    server.get("/rooms/lobby", &session);
    server.get("/rooms/lobby?next=confidential-query", &session);
    // The app's protocol on a WebSocket, with malformed commands.
    let mut socket = WebSocket::open(&server, OPEN, &[]);
    socket.send(r#"40/chat,{"protocol":2}"#);
    socket.expect("40/chat,");
    let signed_in = socket.ask(r#"["sign_in",{"name":"Confidential-name"}]"#);
    let token = signed_in.split("\"token\":\"").nth(1).unwrap();
    let token = token.split('"').next().unwrap().to_owned();
    socket.ask(r#"["join",{"room":"lobby"}]"#);
    let message = r#"{"client_id":"00000000000000000000000000000002","text":"confidential-socket"}"#;
    socket.ask(&format!(r#"["send",{{"room":"lobby","messages":[{message}]}}]"#));
    socket.ask(r#"["send",{"room":"lobby","messages":"confidential-mistake"}]"#);
    socket.ask(r#"["confidential-command",{"confidential-field":1}]"#);
    socket.ask(r#"["history",{"room":"lobby","after":0}]"#);
    // A token in the handshake, over polling, where the session has an id.
    let polling = "/socket.io/?EIO=4&transport=polling";
    let answer = server.get(polling, "");
    let sid = answer.split("\"sid\":\"").nth(1).unwrap();
    let sid = sid.split('"').next().unwrap().to_owned();
    let packets = format!(
        "40/chat,{{\"protocol\":2,\"token\":\"{token}\"}}\x1e42/chat,[\"join\",{{\"room\":\"lobby\"}}]"
    );
    server.post(&format!("{polling}&sid={sid}"), &session, &packets);
    server.get(&format!("{polling}&sid={sid}"), &session);
    // The public example's protocol, and input of no protocol.
    let mut example = WebSocket::open(&server, OPEN, &[]);
    example.send("40");
    example.expect("40");
    example.send(r#"42["add user","confidential-user"]"#);
    example.expect("42[\"login\"");
    example.send(r#"42["new message","confidential-example"]"#);
    example.send(r#"4confidential-packet"#);
    server.request("confidential-line\r\n\r\n");
    server.request("GET /confidential-path HTTP/1.1\r\nConfidential: confidential-header\r\n\r\n");
    server.terminate();
    server.child.wait().unwrap();

    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("DEBUG") || text.contains("TRACE"), "{text}");
    let cookie = session.trim().split('=').nth(1).unwrap().to_owned();
    for secret in [token.as_str(), sid.as_str(), cookie.as_str()] {
        assert!(secret.len() > 10 && !text.contains(secret), "{secret} in {text}");
    }
    let lower = text.to_lowercase();
    let found: Vec<_> = lower
        .lines()
        .filter(|line| line.contains("confidential"))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_documented_filter_works() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let log = File::create(&path).unwrap();
    let variables = [
        ("HUBBUB_LOG", "warn,server=debug"),
        ("HUBBUB_CONNECTIONS_PER_ADDRESS", "1"),
    ];
    let server = Server::run(hubbub(folder.path(), &variables).stderr(log));
    until("a debug line of ours", || {
        let _two = [TcpStream::connect(server.addr), TcpStream::connect(server.addr)];
        std::fs::read_to_string(&path).unwrap().contains("DEBUG hubbub::")
    });
}
