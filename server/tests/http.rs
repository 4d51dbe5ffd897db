//! HTTP, seen from outside: headers, host names, other origins, malformed requests.

use std::time::{Duration, Instant};

use crate::support::running::{Server, status};

fn server(variables: &[(&str, &str)]) -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let client = folder.path().join("site/socket.io");
    std::fs::create_dir_all(&client).unwrap();
    std::fs::write(client.join("socket.io.js"), "// the client").unwrap();
    std::fs::write(client.join("socket.io.js.map"), "{}").unwrap();
    let server = Server::start(folder.path(), variables);
    (folder, server)
}

/// The values of a header, in order.
pub fn header<'a>(answer: &'a str, name: &str) -> Vec<&'a str> {
    let head = answer.split("\r\n\r\n").next().unwrap_or_default();
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines
        .filter(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
        .collect()
}

const NOTHING: &str = "default-src 'none'";

#[test]
fn every_answer_has_the_same_headers() {
    let (_folder, server) = server(&[]);
    let polling = "/socket.io/?EIO=4&transport=polling";
    let answers = [
        ("/", "200", "private"),
        ("/rooms/lobby", "200", "private"),
        ("/rooms/nowhere", "404", "private"),
        ("/nothing", "404", "private"),
        ("/api/rooms/lobby", "200", "no-store"),
        ("/pkg/hubbub.js", "200", "no-cache"),
        ("/vendor/socket.io-0.0.0.js", "200", "immutable"),
        ("/healthz", "200", "no-store"),
        ("/readyz", "200", "no-store"),
        ("/metrics", "200", "no-store"),
        ("/session", "307", "no-store"),
        (polling, "200", "no-store"),
        ("/socket.io/?EIO=3&transport=polling", "400", "no-store"),
        ("/socket.io/?EIO=4&transport=websocket", "426", "no-store"),
        ("/socket.io/socket.io.js", "200", "max-age=0"),
    ];
    let answers = answers.map(|(path, code, cache)| (path, server.get(path, ""), code, cache));
    let delete = server.request(&format!(
        "DELETE / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        server.addr
    ));
    let foreign = server.post("/session", "Origin: https://evil.example\r\n", "name=Ada");
    let others = [
        ("a wrong method", delete, "405", "no-store"),
        ("a foreign form", foreign, "403", "no-store"),
        (
            "a form",
            server.post("/session", "", "name=Ada"),
            "303",
            "no-store",
        ),
    ];
    for (what, answer, code, cache) in answers.into_iter().chain(others) {
        assert_eq!(status(&answer), code, "{what}: {answer}");
        let policy = header(&answer, "content-security-policy").concat();
        let page = header(&answer, "content-type").concat().starts_with("text/html");
        assert!(policy.starts_with(NOTHING), "{what}: {answer}");
        assert_eq!(policy.contains("script-src"), page, "{what}: {answer}");
        let shared = if what.ends_with("socket.io.js") {
            "cross-origin"
        } else {
            "same-origin"
        };
        for (name, expected) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", shared),
        ] {
            assert_eq!(header(&answer, name), [expected], "{what}: {answer}");
        }
        let caching = header(&answer, "cache-control").join("; ");
        assert!(caching.contains(cache), "{what}: {caching}");
    }
}

#[test]
fn a_nonce_is_used_once() {
    let (_folder, server) = server(&[]);
    let nonce = |answer: &str| {
        let policy = header(answer, "content-security-policy").concat();
        let nonce = policy
            .split("'nonce-")
            .nth(1)
            .unwrap()
            .split('\'')
            .next()
            .unwrap()
            .to_owned();
        assert!(answer.contains(&format!("nonce=\"{nonce}\"")), "{answer}");
        nonce
    };
    let (one, two) = (server.get("/", ""), server.get("/", ""));
    assert_ne!(nonce(&one), nonce(&two));
}

#[test]
fn paths_that_no_file_has_are_not_found_and_not_kept() {
    let (_folder, server) = server(&[]);
    let long = format!("/{}", "a".repeat(256));
    let long_below = format!("/pkg/{}", "a".repeat(256));
    for path in [
        "/%00",
        "/pkg/%00",
        "/%7F",
        "/vendor/%FF%FE",
        "/%",
        &long,
        &long_below,
        "/pkg/../x",
    ] {
        let answer = server.get(path, "");
        assert_eq!(status(&answer), "404", "{path}: {answer}");
        assert!(
            !header(&answer, "cache-control").concat().contains("max-age"),
            "{path}"
        );
    }
    let range = server.get("/pkg/hubbub.css", "Range: bytes=9999-\r\n");
    assert_eq!(status(&range), "416");
    assert!(
        !header(&range, "cache-control").concat().contains("max-age"),
        "{range}"
    );
    let put = server.request(&format!(
        "PUT /vendor/socket.io-0.0.0.js HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        server.addr
    ));
    assert_eq!(status(&put), "405");
    assert!(
        !header(&put, "cache-control").concat().contains("max-age"),
        "{put}"
    );
}

#[test]
fn a_malformed_request_is_a_400() {
    let (_folder, server) = server(&[]);
    let host = server.addr;
    for head in [
        format!("GET x HTTP/1.1\r\nHost: {host}\r\n"),
        format!("GET example.org:80 HTTP/1.1\r\nHost: {host}\r\n"),
        "GET example.org:80 HTTP/1.1\r\nHost: example.org:80\r\n".to_owned(),
        format!("OPTIONS * HTTP/1.1\r\nHost: {host}\r\n"),
        format!("GET http://other.example/ HTTP/1.1\r\nHost: {host}\r\n"),
        "CONNECT example.org:80 HTTP/1.1\r\nHost: example.org:80\r\n".to_owned(),
        "GET / HTTP/1.1\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: \r\n".to_owned(),
        format!("GET / HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n"),
        format!("GET / HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\n"),
        format!("POST /session HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked, chunked\r\n"),
        format!("POST /session HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: gzip, chunked\r\n"),
    ] {
        let answer = server.request(&format!("{head}Connection: close\r\n\r\n0\r\n\r\n"));
        assert_eq!(status(&answer), "400", "{head}{answer}");
    }
    for head in [
        "GET / HTTP/1.0\r\n".to_owned(),
        format!("GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n"),
    ] {
        let answer = server.request(&format!("{head}Connection: close\r\n\r\n"));
        assert_eq!(status(&answer), "200", "{head}{answer}");
    }
}

#[test]
fn nothing_follows_a_request_that_may_have_two_lengths() {
    let (_folder, server) = server(&[]);
    let hidden = format!(
        "GET /healthz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        server.addr
    );
    for lengths in [
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
    ] {
        let answer = server.request(&format!(
            "POST /session HTTP/1.1\r\nHost: {}\r\n{lengths}\r\n\r\n0\r\n\r\n{hidden}",
            server.addr
        ));
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
    }
}

/// The status of a page, its data and Socket.IO, requested under this host name.
fn asked_as(server: &Server, host: &str, headers: &str) -> [String; 3] {
    ["/", "/api/", "/socket.io/?EIO=4&transport=polling"].map(|path| {
        let answer = server.request(&format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\n{headers}Connection: close\r\n\r\n"
        ));
        status(&answer).to_owned()
    })
}

#[test]
fn a_foreign_host_name_is_refused() {
    let (_folder, here) = server(&[]);
    for host in [
        "127.0.0.1",
        "localhost:3000",
        "chat.localhost",
        "[::1]:3000",
        "192.0.2.1",
    ] {
        assert_eq!(asked_as(&here, host, ""), ["200"; 3], "{host}");
    }
    for host in [
        "rebound.example",
        "rebound.example:3000",
        "127.0.0.1.rebound.example",
    ] {
        assert_eq!(asked_as(&here, host, ""), ["421"; 3], "{host}");
        let origin = format!("Origin: http://{host}\r\n");
        assert_eq!(asked_as(&here, host, &origin), ["421"; 3], "{host}");
    }
    let answer = here.request("GET / HTTP/1.1\r\nHost: rebound.example\r\nConnection: close\r\n\r\n");
    assert!(
        answer.contains("HUBBUB_URL"),
        "the answer says what to set: {answer}"
    );
    for path in ["/api/v1", "/api/v1/list_rooms", "/api/v1/openapi.json"] {
        let answer = here.request(&format!(
            "POST {path} HTTP/1.1\r\nHost: rebound.example\r\nConnection: close\r\n\r\n"
        ));
        assert_eq!(status(&answer), "421", "{path}");
        let error = r#"{"error":{"code":"bad_request","message":"this server does not know this host name;"#;
        assert!(answer.contains(error), "programs get JSON: {answer}");
    }
    let probe = here.request("GET /healthz HTTP/1.1\r\nHost: probe.internal\r\nConnection: close\r\n\r\n");
    assert_eq!(status(&probe), "200");

    let (_folder, named) = server(&[("HUBBUB_URL", "https://chat.example.org")]);
    assert_eq!(asked_as(&named, "chat.example.org", ""), ["200"; 3]);
    assert_eq!(asked_as(&named, "evil.example", ""), ["421"; 3]);
    let own = named.post("/session", "Origin: https://chat.example.org\r\n", "name=Ada");
    assert_eq!(status(&own), "303", "whatever Host the proxy sends: {own}");
    let page = named.get("/rooms/lobby", "");
    assert!(
        page.contains(r#"rel="canonical" href="https://chat.example.org/rooms/lobby""#),
        "{page}"
    );

    let (_folder, behind) = server(&[("HUBBUB_TRUSTED_PROXIES", "127.0.0.1")]);
    assert_eq!(asked_as(&behind, "any.example", ""), ["200"; 3]);
}

#[test]
fn an_allowed_origin_may_read_the_answers_of_socket_io() {
    let (_folder, server) = server(&[("HUBBUB_ORIGINS", "https://friend.example")]);
    let path = "/socket.io/?EIO=4&transport=polling";
    let preflight = |origin: &str, path: &str| {
        server.request(&format!(
            "OPTIONS {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nOrigin: {origin}\r\n\
             Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type,x-token\r\n\r\n",
            server.addr
        ))
    };
    let friend = preflight("https://friend.example", path);
    assert_eq!(status(&friend), "204", "{friend}");
    for (name, expected) in [
        ("access-control-allow-origin", "https://friend.example"),
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-methods", "GET, POST"),
        ("access-control-allow-headers", "content-type,x-token"),
    ] {
        assert_eq!(header(&friend, name), [expected], "{friend}");
    }
    for answer in [
        server.get(path, "Origin: https://friend.example\r\n"),
        server.get("/socket.io/?EIO=3", "Origin: https://friend.example\r\n"),
        server.get("/socket.io/socket.io.js", "Origin: https://friend.example\r\n"),
    ] {
        assert_eq!(
            header(&answer, "access-control-allow-origin"),
            ["https://friend.example"],
            "{answer}"
        );
        assert_eq!(header(&answer, "access-control-allow-credentials"), ["true"]);
        assert!(header(&answer, "vary").contains(&"origin"), "{answer}");
    }
    for answer in [
        preflight("https://evil.example", path),
        server.get(path, "Origin: https://evil.example\r\n"),
        server.get(path, ""),
        preflight("https://friend.example", "/session"),
        server.get("/api/", "Origin: https://friend.example\r\n"),
    ] {
        assert!(
            header(&answer, "access-control-allow-origin").is_empty(),
            "{answer}"
        );
    }
}

#[test]
fn the_official_client_is_at_its_usual_address() {
    let (_folder, server) = server(&[]);
    let answer = server.get("/socket.io/socket.io.js", "");
    assert!(answer.ends_with("// the client"), "{answer}");
    assert_eq!(header(&answer, "content-type"), ["text/javascript"]);
    assert_eq!(header(&answer, "etag"), ["W/\"0.0.0\""]);
    let again = server.get("/socket.io/socket.io.js", "If-None-Match: W/\"0.0.0\"\r\n");
    assert_eq!(status(&again), "304");
    assert_eq!(status(&server.get("/socket.io/socket.io.js.map", "")), "200");
    assert_eq!(status(&server.get("/socket.io/socket.io.min.js", "")), "404");
    assert_eq!(status(&server.get("/socket.io/other.js", "")), "400");
}

/// The seconds in `Retry-After`.
fn seconds(answer: &str) -> u64 {
    header(answer, "retry-after").concat().parse().expect("seconds")
}

#[test]
fn a_client_that_asks_for_too_many_pages_waits() {
    let (_folder, server) = server(&[]);
    // A burst of a hundred is allowed, then twenty a second for clients that wait. A client that would wait too long
    // gets a 429.
    let answers: Vec<String> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..400)
            .map(|_| scope.spawn(|| server.get("/nowhere", "")))
            .collect();
        asking.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let with = |code: &str| answers.iter().filter(|answer| status(answer) == code).count();
    // So many at once also exceed the pages that may wait to be rendered.
    assert_eq!(with("404") + with("429") + with("503"), 400);
    assert!(with("404") > 0);
    let answer = answers
        .iter()
        .find(|answer| status(answer) == "429")
        .expect("a rate");
    let seconds = seconds(answer);
    assert!((1..=60).contains(&seconds), "{answer}");
    assert_eq!(
        header(answer, "refresh"),
        [seconds.to_string()],
        "the page reloads by itself"
    );
    assert!(answer.contains("<h1>"), "a page that people can read: {answer}");
    assert_eq!(
        status(&server.get("/pkg/hubbub.css", "")),
        "200",
        "files do not count as pages"
    );
}

#[test]
fn files_need_no_storage() {
    let mut postgres = testkit::PostgresServer::start();
    let url = postgres.url(&postgres.database());
    let (_folder, server) = server(&[("HUBBUB_DATABASE_URL", &url)]);
    let signed_in = server.post("/session", "", "name=Ada");
    let cookie = header(&signed_in, "set-cookie").concat();
    let cookie = format!("Cookie: {}\r\n", cookie.split(';').next().unwrap());
    postgres.kill();
    for path in [
        "/pkg/hubbub.css",
        "/vendor/socket.io-0.0.0.js",
        "/socket.io/socket.io.js",
    ] {
        assert_eq!(status(&server.get(path, &cookie)), "200", "{path}");
    }
    // Without storage, neither the session nor the room's content can be loaded.
    for cookie in [cookie.as_str(), ""] {
        let page = server.get("/rooms/lobby", cookie);
        assert_eq!(status(&page), "503");
        assert!(page.contains("This page loads again by itself."), "{page}");
        assert!((2..=6).contains(&seconds(&page)), "{page}");
    }
}

#[test]
fn hostile_headers_are_read_in_time_that_grows_with_their_length() {
    let (_folder, server) = server(&[("HUBBUB_LIMITS", "off")]);
    for (name, again) in [
        ("Cookie", "a=b; "),
        ("Cookie", "hubbub_session="),
        ("Cookie", "=;"),
        ("Cookie", "\""),
        ("Accept-Encoding", "br;q=0,"),
        ("Accept-Encoding", ";"),
        ("X-Forwarded-For", "1.2.3.4,"),
        ("X-Forwarded-Proto", "https,"),
        ("If-None-Match", "W/\"x\","),
        ("Range", "bytes=0-1,0-1,"),
    ] {
        let line = |bytes: usize| format!("{name}: {}\r\n", again.repeat(bytes / again.len()));
        let (short, long) = (line(4_000), line(32_000));
        let time = |headers: &str| {
            let begun = Instant::now();
            server.get("/socket.io/socket.io.js", headers);
            server.get("/api/rooms/lobby", headers);
            begun.elapsed()
        };
        // Uses the least of many measurements, because other load only adds to them. Quadratic time would be 64 times
        // as long.
        let (mut least_short, mut least_long) = (Duration::MAX, Duration::MAX);
        let linear = (0..50).any(|_| {
            least_short = least_short.min(time(&short));
            least_long = least_long.min(time(&long));
            least_long < least_short * 24 + Duration::from_millis(20)
        });
        assert!(linear, "{name}: {again}…: {least_short:?}, then {least_long:?}");
    }
}
