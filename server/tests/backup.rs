//! `hubbub backup`, while a server writes, and what a restored backup keeps.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;

use crate::support::running::{Server, hubbub, status};

fn backup(folder: &Path, variables: &[(&str, &str)], file: &Path) -> Output {
    hubbub(folder, variables)
        .arg("backup")
        .arg(file)
        .output()
        .unwrap()
}

fn sent(server: &Server, session: &str, id: &str, text: &str) {
    let answer = server.post(
        "/rooms/lobby/messages",
        session,
        &format!("client_id={id}&text={text}"),
    );
    assert_eq!(status(&answer), "303", "{answer}");
}

#[test]
fn a_backup_of_a_busy_server_is_whole_and_can_be_restored() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    // Far more than fits into one page or one batch, so that the backup takes a while.
    let unlimited = [("HUBBUB_LIMITS", "off")];
    drop(Server::start(folder.path(), &unlimited));
    let database = Connection::open(folder.path().join("data/hubbub.db")).unwrap();
    let many = "
        WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 100000)
        INSERT INTO events (room_id, seq, at, author_id, client_id, body)
        SELECT id, n, n, 'someone', 'old-' || n, json_object('type', 'posted', 'client_id', 'old-' || n,
            'text', 'text ' || n) FROM rooms, numbers;
        INSERT INTO folded (room_id, seq, number) SELECT room_id, seq, seq FROM events;
        INSERT INTO people (id, name, created_at, wrote) VALUES ('someone', 'Someone', 1, 1);
        UPDATE rooms SET head = 100000, messages = 100000";
    database.execute_batch(many).unwrap();
    drop(database);
    let server = Server::start(folder.path(), &unlimited);
    let session = server.sign_in();
    sent(&server, &session, "before", "acknowledged+before+the+backup");
    let file = folder.path().join("backup.db");
    let done = AtomicBool::new(false);
    let (output, during) = std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let mut count = 0;
            while !done.load(Ordering::Relaxed) {
                sent(&server, &session, &format!("during-{count}"), "meanwhile");
                count += 1;
            }
            count
        });
        let output = backup(folder.path(), &[], &file);
        done.store(true, Ordering::Relaxed);
        (output, writing.join().unwrap())
    });
    assert!(output.status.success(), "{output:?}");
    assert!(during > 0, "nothing was written meanwhile");
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(
        said.contains(" MB; to restore it") && said.contains("session.key"),
        "{said}"
    );
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!folder.path().join("backup.db.part").exists());

    let copy = Connection::open(&file).unwrap();
    let check: String = copy
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok");
    let (head, count): (u32, u32) = copy
        .query_row(
            "SELECT head, (SELECT count(*) FROM events) FROM rooms WHERE head = messages",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    assert_eq!(head, count, "one moment of the log");
    assert!(head > 100_000, "what was acknowledged before is there");
    drop(copy);
    drop(server);

    std::fs::create_dir(other.path().join("data")).unwrap();
    for (from, to) in [("backup.db", "hubbub.db"), ("data/session.key", "session.key")] {
        std::fs::copy(folder.path().join(from), other.path().join("data").join(to)).unwrap();
    }
    let restored = Server::start(other.path(), &unlimited);
    let room = restored.get("/rooms/lobby", &session);
    assert!(room.contains("Ada"), "still signed in: {room}");
    sent(&restored, &session, "after", "signed+in+after+the+restore");
}

#[test]
fn a_backup_that_cannot_be_made_says_why_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let refusal = |variables: &[(&str, &str)], file: &str| {
        let output = backup(folder.path(), variables, &folder.path().join(file));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.lines().count() == 1, "{said}");
        said
    };
    assert!(refusal(&[], "backup.db").contains("HUBBUB_DATA_DIR"));
    assert!(!folder.path().join("data").exists(), "the folder is not created");
    drop(Server::start(folder.path(), &[]));
    std::fs::write(folder.path().join("mine"), "mine").unwrap();
    assert!(refusal(&[], "mine").contains("exists already"));
    assert_eq!(std::fs::read(folder.path().join("mine")).unwrap(), b"mine");
    let url = [("HUBBUB_DATABASE_URL", "postgres://me:p@ss@host/chat")];
    let said = refusal(&url, "backup.db");
    assert!(said.contains("pg_dump") && !said.contains("p@ss"), "{said}");
}
