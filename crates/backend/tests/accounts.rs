//! What only SQLite promises about accounts: how older data folders are migrated, and what remains of
//! forgotten people.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use backend::{Local, Sqlite};
use chat::ports::{Accounts, Directory, RoomLog};
use protocol::{Person, Timestamp};
use rusqlite::Connection;
use testkit::sample::{append, messages, person, room, session, slug, whole_log};
use testkit::within;

const VERSION_1: &str = include_str!("../src/sqlite/schema/1.sql");
const ROWS: &str = r#"
    INSERT INTO rooms (id, slug, title, epoch, head, created_at, last_at) VALUES (1, 'lobby', 'Lobby', 'e1', 1, 1, 5);
    INSERT INTO people VALUES ('ada', 'Ada', 1), ('bob', 'Bob', 2);
    INSERT INTO sessions VALUES ('7m3qplaintexttokenofada', 'ada', 1), ('another-token-of-ada', 'ada', 2),
        ('token-of-bob', 'bob', 3);
    INSERT INTO events (room_id, seq, at, author_id, author_name, client_id, body)
    VALUES (1, 1, 5, 'ada', 'Ada', 'c1', '{"type":"posted","client_id":"c1","text":"hello"}');
    PRAGMA application_id = 1215652450;
    PRAGMA user_version = 1;
"#;

/// Many sessions with random tokens, most of them ended, so that rows have moved and pages are free.
const CROWD: &str = "
    WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 2000)
    INSERT INTO sessions SELECT hex(randomblob(4)) || 'plaintexttoken' || n, 'bob', n FROM number;
    DELETE FROM sessions WHERE created_at > 100;
";

/// True if any file of a folder contains a token of version 1.
fn contains_a_token(folder: &Path) -> bool {
    let plain = b"plaintexttoken";
    fs::read_dir(folder).unwrap().any(|file| {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        bytes.windows(plain.len()).any(|window| window == plain)
    })
}

fn database(folder: &Path) -> Connection {
    Connection::open(folder.join("hubbub.db")).unwrap()
}

fn open(folder: &Path) -> Sqlite {
    Sqlite::open(folder, Arc::new(Local::default())).expect("the folder can be opened")
}

async fn whose(sqlite: &Sqlite, token: &str) -> Option<Person> {
    let found = Accounts::session(sqlite, &session(token)).await.unwrap();
    found.map(|session| session.person)
}

#[tokio::test]
async fn tokens_of_version_1_stay_valid_but_are_wiped() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let old = database(folder.path());
        old.execute_batch(&format!("PRAGMA journal_mode = WAL; {VERSION_1} {ROWS} {CROWD}"))
            .unwrap();
        drop(old);
        assert!(contains_a_token(folder.path()), "otherwise nothing is tested");
        for _ in 0..2 {
            let sqlite = open(folder.path());
            // This must hold before closing, because a killed process closes nothing.
            assert!(!contains_a_token(folder.path()));
            for token in ["7m3qplaintexttokenofada", "another-token-of-ada"] {
                assert_eq!(whose(&sqlite, token).await, Some(person("Ada")), "{token}");
            }
            assert_eq!(whose(&sqlite, "token-of-bob").await, Some(person("Bob")));
            let forgotten = sqlite.forget(Timestamp(1_000_000), 10).await.unwrap();
            assert_eq!(forgotten, 0, "their time begins with the migration");
            let log: Arc<dyn RoomLog> = Arc::new(sqlite.clone());
            assert_eq!(whole_log(&log, &slug("lobby")).await.len(), 1);
            sqlite.close().await;
        }
        assert!(!contains_a_token(folder.path()));
    })
    .await;
}

#[tokio::test]
async fn people_who_never_wrote_are_forgotten_with_their_session() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = open(folder.path());
        let lobby = room(1, "lobby", "Lobby");
        Directory::create(&sqlite, &lobby).await.unwrap();
        let people = [
            person("Writer"),
            person("Reader"),
            person("Leaver"),
            person("Two"),
        ];
        for (at, who) in (1..).zip(&people) {
            let token = format!("token-{}", who.name);
            Accounts::create(&sqlite, who, &session(&token), Timestamp(at))
                .await
                .unwrap();
        }
        Accounts::create(&sqlite, &people[3], &session("second"), Timestamp(100))
            .await
            .unwrap();
        let log: Arc<dyn RoomLog> = Arc::new(sqlite.clone());
        append(&log, &lobby.slug, &people[0], messages("w", 1)).await;
        sqlite.end(&session("token-Leaver")).await.unwrap();
        assert_eq!(sqlite.forget(Timestamp(50), 2).await.unwrap(), 2);
        assert_eq!(sqlite.forget(Timestamp(50), 2).await.unwrap(), 1);
        assert_eq!(sqlite.forget(Timestamp(50), 2).await.unwrap(), 0);
        assert_eq!(whose(&sqlite, "second").await, Some(person("Two")));
        sqlite.close().await;

        let left = database(folder.path());
        let mut names = left.prepare("SELECT name FROM people ORDER BY name").unwrap();
        let names = names.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let names: Vec<_> = names.map(Result::unwrap).collect();
        assert_eq!(names, ["Two", "Writer"]);
    })
    .await;
}
