//! Replicas share a database and a Redis. Without Redis each works alone, and says so.

use std::time::{Duration, Instant};

use testkit::{PostgresServer, RedisServer};

use crate::http::header;
use crate::support::running::{Server, hubbub, status};

/// Asks until the answer is right.
fn until(what: &str, right: impl Fn() -> bool) {
    let begun = Instant::now();
    while !right() {
        assert!(begun.elapsed() < Duration::from_secs(20), "timed out: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn redis_alone_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let output = hubbub(folder.path(), &[("HUBBUB_REDIS_URL", "redis://127.0.0.1:1")]).output();
    let said = String::from_utf8(output.unwrap().stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(
        said.contains("HUBBUB_DATABASE_URL") && said.contains("share a database"),
        "{said}"
    );
}

#[test]
fn a_replica_without_redis_is_ready_and_says_what_is_missing() {
    let (postgres, mut redis) = (PostgresServer::shared(), RedisServer::start());
    let database = postgres.url(&postgres.database());
    let variables = [
        ("HUBBUB_DATABASE_URL", database.as_str()),
        ("HUBBUB_REDIS_URL", &redis.url()),
    ];
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [one, two] = [&folders[0], &folders[1]].map(|folder| Server::start(folder.path(), &variables));
    assert!(one.get("/readyz", "").ends_with("ready\n"));
    assert!(one.get("/metrics", "").contains("hubbub_redis_away 0\n"));
    // Both sign cookies with one key.
    let signed_in = one.post("/session", "", "name=Ada");
    let cookie = header(&signed_in, "set-cookie").concat();
    let cookie = format!("Cookie: {}\r\n", cookie.split(';').next().unwrap());

    redis.kill();
    until("the replica says that Redis is away", || {
        let answer = one.get("/readyz", "");
        status(&answer) == "200" && answer.contains("Redis fails")
    });
    assert!(one.get("/metrics", "").contains("hubbub_redis_away 1\n"));
    let sent = two.post(
        "/rooms/lobby/messages",
        &cookie,
        "client_id=one&text=without+Redis",
    );
    assert_eq!(status(&sent), "303", "{sent}");
    assert!(one.get("/rooms/lobby", "").contains("without Redis"));

    redis.restart();
    until("everything works", || {
        one.get("/readyz", "").ends_with("\r\n\r\nready\n")
    });
    assert!(one.get("/metrics", "").contains("hubbub_redis_away 0\n"));
}
