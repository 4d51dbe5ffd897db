//! How the binary starts, refuses to start, answers and stops, seen from outside.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::running::{Server, hubbub, status};

/// Standard error of a start that must fail.
fn refusal(folder: &Path, variables: &[(&str, &str)]) -> String {
    let output = hubbub(folder, variables).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "it serves with {variables:?}");
    assert_eq!(said.lines().count(), 1, "one line, not: {said}");
    said
}

#[test]
fn a_start_that_fails_says_why_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let said = refusal(folder.path(), &[("HUBBUB_ADDR", "nowhere")]);
    assert!(
        said.contains("HUBBUB_ADDR=\"nowhere\"") && said.contains("127.0.0.1:3000"),
        "{said}"
    );
    assert!(refusal(folder.path(), &[("HUBBUB_LIMITS", "perhaps")]).contains("on or off"));
    assert!(refusal(folder.path(), &[("HUBBUB_SITE_DIR", "/nonexistent")]).contains("make build"));
    // Files of a build whose list is not beside this binary.
    let other = folder.path().join("other");
    std::fs::create_dir_all(other.join("pkg")).unwrap();
    std::fs::write(other.join("pkg/hubbub.0123.js"), "").unwrap();
    let said = refusal(folder.path(), &[("HUBBUB_SITE_DIR", other.to_str().unwrap())]);
    assert!(
        said.contains("a different build") && said.contains("hash.txt"),
        "{said}"
    );
    let said = refusal(folder.path(), &[("HUBBUB_DATA_DIR", "/proc/hubbub")]);
    assert!(said.contains("/proc/hubbub"), "{said}");
    let said = refusal(folder.path(), &[("HUBBUB_DATA_DIR", "/dev/null")]);
    assert!(said.contains("/dev/null: a file with that name exists"), "{said}");

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let said = refusal(folder.path(), &[("HUBBUB_ADDR", &addr)]);
    assert!(said.contains(&addr) && said.contains("in use"), "{said}");
}

#[test]
fn two_servers_do_not_share_a_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let _first = Server::start(folder.path(), &[]);
    assert!(
        refusal(folder.path(), &[]).contains("data"),
        "the second one is refused"
    );
}

#[test]
fn health_readiness_and_metrics_answer() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    assert_eq!(status(&server.get("/healthz", "")), "200");
    assert_eq!(status(&server.get("/readyz", "")), "200");
    // The previous connection may close for its client a moment before it does for the server.
    let deadline = Instant::now() + Duration::from_secs(5);
    let mut metrics = server.get("/metrics", "");
    while !metrics.contains("hubbub_tcp_connections 1\n") && Instant::now() < deadline {
        metrics = server.get("/metrics", "");
    }
    assert!(
        metrics.contains("hubbub_tcp_connections 1\n") && metrics.contains("# EOF"),
        "{metrics}"
    );
    assert_eq!(status(&server.get("/nothing-here.txt", "")), "404");
}

#[test]
fn pages_of_other_sites_are_kept_out() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[("HUBBUB_ORIGINS", "https://friend.example")]);
    let polling = "/socket.io/?EIO=4&transport=polling";
    assert_eq!(status(&server.get(polling, "")), "200");
    assert_eq!(
        status(&server.get(polling, &format!("Origin: http://{}\r\n", server.addr))),
        "200"
    );
    assert_eq!(
        status(&server.get(polling, "Origin: https://friend.example\r\n")),
        "200"
    );
    assert_eq!(
        status(&server.get(polling, "Origin: https://evil.example\r\n")),
        "403"
    );
    let upgrade = "Origin: https://evil.example\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
    assert_eq!(
        status(&server.get("/socket.io/?EIO=4&transport=websocket", upgrade)),
        "403"
    );
    assert_eq!(
        status(&server.post("/session", "Origin: https://evil.example\r\n", "name=Eve")),
        "403"
    );
}

#[test]
fn a_session_is_a_cookie_that_scripts_cannot_read() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    let answer = server
        .post("/session", "", "name=Ada&next=%2Frooms%2Flobby")
        .to_lowercase();
    assert_eq!(status(&answer), "303");
    assert!(answer.contains("location: /rooms/lobby\r\n"), "{answer}");
    let cookie = answer
        .lines()
        .find(|line| line.starts_with("set-cookie: hubbub_session="))
        .expect("a cookie");
    assert!(
        cookie.contains("httponly") && cookie.contains("samesite=lax") && !cookie.contains("secure"),
        "{cookie}"
    );
    let answer = server
        .post("/session", "X-Forwarded-Proto: https\r\n", "name=Ada")
        .to_lowercase();
    assert!(
        answer.contains("; secure"),
        "behind TLS the cookie stays on TLS: {answer}"
    );
    let answer = server.post("/session", "", "name=%20&next=%2F").to_lowercase();
    assert!(
        answer.contains("location: /?problem=name") && !answer.contains("set-cookie: hubbub_session="),
        "{answer}"
    );
}

/// The cookie that a sign-in sets, as a browser sends it.
fn sign_in(server: &Server, name: &str) -> String {
    let answer = server.post("/session", "", &format!("name={name}"));
    let line = answer
        .lines()
        .find(|line| line.starts_with("set-cookie: "))
        .expect("a cookie");
    line["set-cookie: ".len()..].split(';').next().unwrap().to_owned()
}

#[test]
fn a_form_leads_to_a_page_of_this_site_only() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    for next in [
        "%2F%09%2Fevil.example",
        "%2F%5Cevil.example",
        "%2F.%2F%2Fevil.example",
        "%2F%0A%2Fevil.example",
    ] {
        for (path, rest) in [
            ("/session", "&name=Ada"),
            ("/session", "&name="),
            ("/session/end", ""),
            ("/theme", "&theme=dark"),
        ] {
            let answer = server.post(path, "", &format!("next={next}{rest}"));
            let target = answer
                .lines()
                .find_map(|line| line.strip_prefix("location: "))
                .expect("a redirect");
            assert!(
                target == "/" || target == "/?problem=name",
                "{path} with {next} leads to {target:?}"
            );
        }
    }
}

#[test]
fn cookies_of_other_sites_on_this_host_do_not_hide_a_session() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    let session = sign_in(&server, "Ada");
    for cookies in [format!("größe=ä; {session}"), format!("{session}; other=\u{ff}")] {
        let page = server.get("/api/", &format!("Cookie: {cookies}\r\n"));
        assert!(page.contains("\"name\":\"Ada\""), "{cookies}: {page}");
    }
}

#[test]
fn a_form_refused_for_its_host_says_what_to_check() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    let answer = server.post("/session", "Origin: https://chat.example\r\n", "name=Ada");
    assert_eq!(status(&answer), "403");
    assert!(
        answer.contains("Host header") && !answer.contains("HUBBUB_ORIGINS"),
        "{answer}"
    );
}

#[test]
fn the_address_of_a_form_leads_to_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    for (path, page) in [
        ("/rooms", "/"),
        ("/session", "/"),
        ("/session/end", "/"),
        ("/theme", "/"),
        ("/rooms/lobby/messages", "/rooms/lobby"),
    ] {
        let answer = server.get(path, "");
        assert_eq!(status(&answer), "307", "{path}");
        assert!(
            answer.contains(&format!("location: {page}\r\n")),
            "{path}: {answer}"
        );
    }
}

#[test]
fn a_form_sent_again_with_another_text_is_another_message() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    let cookie = format!("Cookie: {}\r\n", sign_in(&server, "Ada"));
    for text in ["first", "first", "second", "first"] {
        let form = format!("client_id=from-the-page&text={text}");
        let answer = server.post("/rooms/lobby/messages", &cookie, &form);
        assert!(answer.contains("location: /rooms/lobby\r\n"), "{answer}");
    }
    let page = server.get("/api/rooms/lobby", "");
    assert_eq!(
        page.matches("\"text\":\"first\"").count(),
        1,
        "a double click: {page}"
    );
    assert_eq!(page.matches("\"text\":\"second\"").count(), 1, "{page}");
}

#[test]
fn an_unfinished_request_times_out() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    let started = Instant::now();
    let answer = server.request("GET / HTTP/1.1\r\nHost: x\r\nX-Slow");
    assert!(
        started.elapsed() < Duration::from_secs(14),
        "the header timeout is 10 s"
    );
    assert!(answer.is_empty() || status(&answer) == "408", "{answer}");
}

#[test]
fn one_address_has_a_cap_of_connections() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[("HUBBUB_CONNECTIONS_PER_ADDRESS", "2")]);
    // Connections that were answered are certainly counted.
    let held: Vec<_> = (0..2)
        .map(|_| {
            let mut stream = TcpStream::connect(server.addr).unwrap();
            stream
                .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                .unwrap();
            let mut first = [0; 12];
            stream.read_exact(&mut first).unwrap();
            stream
        })
        .collect();
    assert_eq!(server.get("/healthz", ""), "", "the third is closed");
    drop(held);
    let freed = Instant::now();
    while status(&server.get("/healthz", "")) != "200" {
        assert!(freed.elapsed() < Duration::from_secs(10), "places are freed");
        std::thread::yield_now();
    }
}

#[test]
fn sigterm_stops_the_server_within_ten_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), &[]);
    // A hanging poll, and a silent WebSocket.
    let mut polling = TcpStream::connect(server.addr).unwrap();
    polling
        .write_all(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    let mut socket = TcpStream::connect(server.addr).unwrap();
    socket.write_all(b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n").unwrap();
    let mut first = [0; 12];
    socket.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 101");
    let started = Instant::now();
    server.terminate();
    let status = server.child.wait().unwrap();
    assert!(
        status.success() && started.elapsed() < Duration::from_secs(10),
        "{status} after {:?}",
        started.elapsed()
    );
}

/// True if a sign-in with this `X-Forwarded-For` is accepted.
fn signs_in(server: &Server, forwarded_for: &str) -> bool {
    let header = format!("X-Forwarded-For: {forwarded_for}\r\n");
    let answer = server.post("/session", &header, "name=Ada").to_lowercase();
    assert_eq!(status(&answer), "303");
    answer.contains("set-cookie: hubbub_session=")
}

const TWO_EACH: [(&str, &str); 2] = [
    ("HUBBUB_ADDRESS_COMMAND_BURST", "2"),
    ("HUBBUB_ADDRESS_COMMANDS_PER_SECOND", "1"),
];

#[test]
fn a_trusted_proxy_names_the_address_that_is_limited() {
    let folder = tempfile::tempdir().unwrap();
    let proxied = [
        ("HUBBUB_TRUSTED_PROXIES", "127.0.0.0/8"),
        ("HUBBUB_CONNECTIONS_PER_ADDRESS", "1"),
    ];
    let server = Server::start(folder.path(), &[&TWO_EACH[..], &proxied].concat());
    // The proxy's own connections are many and have no cap.
    let _held: Vec<_> = (0..5).map(|_| TcpStream::connect(server.addr).unwrap()).collect();
    assert!(signs_in(&server, "203.0.113.1") && signs_in(&server, "198.51.100.1, 203.0.113.1"));
    // On a slow machine, the rate allows one more each second.
    assert!(
        (2..50).any(|n| !signs_in(&server, &format!("198.51.100.{n}, 203.0.113.1"))),
        "a forged address before it changes nothing"
    );
    assert!(
        signs_in(&server, "203.0.113.2"),
        "another address has a rate of its own"
    );
}

#[test]
fn only_a_trusted_proxy_may_name_an_address() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(
        folder.path(),
        &[&TWO_EACH[..], &[("HUBBUB_TRUSTED_PROXIES", "192.0.2.1")]].concat(),
    );
    assert!(signs_in(&server, "203.0.113.1") && signs_in(&server, "203.0.113.2"));
    assert!(
        (3..50).any(|n| !signs_in(&server, &format!("203.0.113.{n}"))),
        "many addresses, one client"
    );
}

#[test]
fn one_address_may_add_a_limited_number_of_people_and_rooms() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(
        folder.path(),
        &[("HUBBUB_LOG", "off"), ("HUBBUB_SIGN_INS_PER_ADDRESS", "50")],
    );
    let cookie = format!("Cookie: {}\r\n", sign_in(&server, "Ada"));
    let attempts = 200;
    let signed_in = (1..attempts)
        .filter(|_| {
            let answer = server.post("/session", "", "name=Ada");
            let refused = answer.contains("location: /?problem=rate_limited");
            assert!(
                refused || answer.contains("set-cookie: hubbub_session="),
                "{answer}"
            );
            !refused
        })
        .count();
    assert!((49..60).contains(&signed_in), "{signed_in} of {attempts}");
    let created = (0..50)
        .filter(|n| {
            let answer = server.post("/rooms", &cookie, &format!("title=Room+{n}"));
            !answer.contains("problem=rate_limited")
        })
        .count();
    assert!((10..15).contains(&created), "{created} of 50");
}

#[cfg(unix)]
#[test]
fn the_server_warns_if_others_can_read_its_data() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let said = |mode: Option<u32>| {
        if let Some(mode) = mode {
            std::fs::set_permissions(&data, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let mut child = hubbub(folder.path(), &[]).spawn().unwrap();
        let mut first = [0; 1];
        child.stdout.take().unwrap().read_exact(&mut first).unwrap();
        // With SIGTERM, so that the log thread writes its lines first.
        let id = child.id().to_string();
        assert!(
            std::process::Command::new("kill")
                .arg(&id)
                .status()
                .unwrap()
                .success()
        );
        let output = child.wait_with_output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    let made = said(None);
    assert!(!made.contains("chmod"), "a new folder is private: {made}");
    let open = said(Some(0o777));
    assert!(open.contains("chmod 700") && open.contains("0777"), "{open}");
    let key = data.join("session.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let readable = said(Some(0o755));
    assert!(
        readable.contains("chmod 600") && !readable.contains("chmod 700"),
        "{readable}"
    );
}
