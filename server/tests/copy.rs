//! `hubbub copy`: refusals, an interrupted copy that is run again, and a chat that goes on in PostgreSQL.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backend::{Local, Postgres, Sharing};
use rusqlite::Connection;
use testkit::PostgresServer;

use crate::support::running::{Server, hubbub, status};

fn copy(folder: &Path, url: &str) -> Command {
    let mut command = hubbub(folder, &[]);
    command
        .arg("copy")
        .arg("--from")
        .arg(folder.join("data"))
        .args(["--to", url]);
    command
}

/// What a copy that must succeed says.
fn copied(folder: &Path, url: &str) -> String {
    let output = copy(folder, url).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The line with which something is refused.
fn refusal(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.lines().count() == 1, "{said}");
    assert!(
        !said.contains("%40ss") && !said.contains("p@ss"),
        "no password: {said}"
    );
    said
}

/// The digest in the last line of a copy.
fn digest(said: &str) -> &str {
    let (_, digest) = said.split_once("SHA-256 ").unwrap();
    digest.trim().trim_end_matches(')')
}

#[test]
fn a_killed_copy_is_marked_and_run_again_it_is_equal() {
    let server = PostgresServer::shared();
    let (database, other) = (server.database(), server.database());
    let url = server.url(&database);
    let folder = tempfile::tempdir().unwrap();
    let running = Server::start(folder.path(), &[]);
    let session = running.sign_in();
    let sent = |server: &Server, id: &str| {
        let form = format!("client_id={id}&text=kept+{id}");
        let answer = server.post("/rooms/lobby/messages", &session, &form);
        assert_eq!(status(&answer), "303", "{answer}");
    };
    sent(&running, "before");
    assert!(refusal(&mut copy(folder.path(), &url)).contains("in use by another hubbub"));
    drop(running);
    let source = Connection::open(folder.path().join("data/hubbub.db")).unwrap();
    let many = "
        WITH RECURSIVE numbers (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < 60000)
        INSERT INTO events (room_id, seq, at, author_id, client_id, body)
        SELECT id, n, n, 'someone', 'old-' || n, json_object('type', 'posted', 'client_id', 'old-' || n,
            'text', 'text ' || n) FROM rooms, numbers WHERE slug = 'lobby';
        INSERT INTO folded (room_id, seq, number) SELECT room_id, seq, seq FROM events WHERE seq > 1;
        INSERT INTO people (id, name, created_at, wrote) VALUES ('someone', 'Someone', 1, 1);
        UPDATE rooms SET head = 60000, messages = 60000 WHERE slug = 'lobby'";
    source.execute_batch(many).unwrap();
    drop(source);
    let untouched = copied(folder.path(), &server.url(&other));

    make_slow(&server, &database);
    let mut child = copy(folder.path(), &url).spawn().unwrap();
    let begun = Instant::now();
    while server.sql(&database, "SELECT count(*) > 0 FROM events").trim() != "t" {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing is copied");
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let said = refusal(&mut hubbub(folder.path(), &[("HUBBUB_DATABASE_URL", &url)]));
    assert!(said.contains("run hubbub copy again"), "{said}");
    let count = server.sql(&database, "SELECT count(*) FROM events");
    assert_ne!(count.trim(), "60000", "it was interrupted");

    server.sql(&database, "DROP TRIGGER slow ON events");
    let said = copied(folder.path(), &url);
    assert!(said.contains("copying: 0 of 120004 rows"), "{said}");
    assert!(
        said.contains("counts and digests of both sides are equal"),
        "{said}"
    );
    assert_eq!(digest(&said), digest(&untouched));
    assert!(refusal(&mut copy(folder.path(), &url)).contains("not empty"));

    // Another machine, as it were: the session goes on, because the key that signs cookies has moved, too.
    let elsewhere = tempfile::tempdir().unwrap();
    let running = Server::start(elsewhere.path(), &[("HUBBUB_DATABASE_URL", &url)]);
    sent(&running, "after");
    let room = running.get("/rooms/lobby", &session);
    assert!(
        room.contains("text 60000") && room.contains("kept after"),
        "{room}"
    );
}

/// Makes every batch of messages take a second in a database that is still empty.
fn make_slow(server: &PostgresServer, database: &str) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let url = server.url(database);
        let opened = Postgres::open(&url, Arc::new(Local::default()), Sharing::Alone).await;
        opened.unwrap_or_else(|error| panic!("{error}")).close().await;
    });
    server.sql(
        database,
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$;
         CREATE TRIGGER slow BEFORE INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION slow()",
    );
}

#[test]
fn a_copy_that_cannot_begin_says_why_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = "postgres://me:p%40ss@127.0.0.1:1/chat";
    assert!(refusal(&mut copy(folder.path(), nowhere)).contains("no hubbub.db"));
    drop(Server::start(folder.path(), &[]));
    let said = refusal(&mut copy(folder.path(), nowhere));
    assert!(said.contains("cannot reach PostgreSQL at 127.0.0.1:1"), "{said}");
    let said = refusal(&mut copy(folder.path(), "postgres://me:p@ss@127.0.0.1:1/chat"));
    assert!(said.contains("%40") && !said.contains("ss@"), "{said}");
    let said = refusal(&mut copy(folder.path(), "mysql://me:p@ss@host/chat"));
    assert!(said.contains("postgres://user:password@host"), "{said}");
    let mut without = hubbub(folder.path(), &[]);
    without.arg("copy").arg("--from").arg(folder.path().join("data"));
    assert!(refusal(&mut without).contains("HUBBUB_DATABASE_URL"));
}
