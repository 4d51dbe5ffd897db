//! One process on a PostgreSQL database: what is refused, what is kept, and what `/readyz` says.

use std::time::{Duration, Instant};

use testkit::PostgresServer;

use crate::support::running::{Server, hubbub, status};

const NAME: &str = "HUBBUB_DATABASE_URL";

/// Standard error of a start that must fail.
fn refusal(url: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = hubbub(folder.path(), &[(NAME, url)]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "it serves");
    assert_eq!(said.lines().count(), 1, "one line, not: {said}");
    assert!(said.contains(NAME), "{said}");
    assert!(
        !said.contains("%40ss") && !said.contains("p@ss"),
        "no password: {said}"
    );
    assert!(
        !folder.path().join("data").exists(),
        "nothing is kept in the data folder"
    );
    said
}

#[test]
fn a_database_that_cannot_be_used_is_refused_in_one_line() {
    let server = PostgresServer::shared();
    let url = server.url(&server.database());
    assert!(refusal("mysql://me:p@ss@host/chat").contains("postgres://user:password@host"));
    assert!(
        refusal(&url.replace(&server.address(), "127.0.0.1:1")).contains("127.0.0.1:1: Connection refused")
    );
    assert!(refusal(&url.replace("a%20secret", "wrong")).contains("user or password"));
    let folder = tempfile::tempdir().unwrap();
    let _first = Server::start(folder.path(), &[(NAME, &url)]);
    assert!(refusal(&url).contains("HUBBUB_REDIS_URL"));
}

#[test]
fn everything_is_kept_in_the_database() {
    let server = PostgresServer::shared();
    let url = server.url(&server.database());
    let cookie = |answer: &str| {
        let line = answer
            .lines()
            .find(|line| line.to_lowercase().starts_with("set-cookie: "));
        let value = line.and_then(|line| line.split([' ', ';']).nth(1)).unwrap();
        format!("Cookie: {value}\r\n")
    };
    let first = tempfile::tempdir().unwrap();
    let running = Server::start(first.path(), &[(NAME, &url)]);
    let cookie = cookie(&running.post("/session", "", "name=Ada"));
    let sent = running.post(
        "/rooms/lobby/messages",
        &cookie,
        "client_id=one&text=kept+in+PostgreSQL",
    );
    assert_eq!(status(&sent), "303", "{sent}");
    drop(running);
    // Another machine, as it were. The key that signs cookies is in the database, too.
    let second = tempfile::tempdir().unwrap();
    let running = Server::start(second.path(), &[(NAME, &url)]);
    let room = running.get("/rooms/lobby", &cookie);
    assert!(
        room.contains("kept in PostgreSQL") && room.contains("Ada"),
        "{room}"
    );
    let sent = running.post(
        "/rooms/lobby/messages",
        &cookie,
        "client_id=two&text=still+signed+in",
    );
    assert_eq!(status(&sent), "303", "{sent}");
}

#[test]
fn readiness_follows_the_database() {
    let mut server = PostgresServer::start();
    let url = server.url(&server.database());
    let folder = tempfile::tempdir().unwrap();
    let running = Server::start(folder.path(), &[(NAME, &url)]);
    let becomes = |expected: &str| {
        let begun = Instant::now();
        while status(&running.get("/readyz", "")) != expected {
            assert!(begun.elapsed() < Duration::from_secs(15), "never {expected}");
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    becomes("200");
    server.kill();
    becomes("503");
    assert_eq!(status(&running.get("/healthz", "")), "200");
    server.restart();
    becomes("200");
    server.stop();
    becomes("503");
    server.go_on();
    becomes("200");
}
