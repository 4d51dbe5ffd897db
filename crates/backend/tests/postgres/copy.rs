//! A chat moves from a data folder to PostgreSQL: everything arrives, and what differs is noticed.

use std::path::Path;
use std::sync::Arc;

use backend::{Copied, CopyError, Local, Postgres, Progress, Sharing, Sqlite, copy};
use chat::Limit;
use chat::ports::{Accounts, Directory, RoomLog};
use protocol::Timestamp;
use tempfile::TempDir;
use testkit::sample::{
    deeds, delete, edit, message, person_with_id, react, room, session, set_title, whole_log,
};
use testkit::{PostgresServer, within};

use crate::support::log;

/// Characters that a copy could spoil.
const ODD: [&str; 5] = [
    "quotes ' \" `; DROP TABLE rooms; --",
    "tabs\tand\nlines\\N\\.",
    "😀 ẞ 한국어 ́combined",
    "{\"json\": \"\\u0000\"}",
    "'; COPY",
];

/// A data folder with rooms, people and messages.
async fn source() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fill(folder.path()).await;
    folder
}

async fn fill(folder: &Path) {
    let sqlite = Sqlite::open(folder, Arc::new(Local::default())).expect("the folder opens");
    for n in 0..3_u64 {
        let room = room(n + 1, &format!("room-{n}"), &format!("Room {n} 'ẞ' \"\\"));
        let created = Directory::create(&sqlite, &room).await;
        created.expect("the room is created");
        for (at, text) in ODD.into_iter().enumerate() {
            let author = person_with_id(&format!("author-{at}"), &format!("Ada '{at}' 😀 \\"));
            let session = session(&format!("a-session-of-{at}-and-{n}"));
            let created = Accounts::create(&sqlite, &author, &session, Timestamp(at as u64));
            created.await.expect("the person is created");
            // The last room is empty.
            if n < 2 {
                let messages = (0..20).map(|m| message(&format!("m-{at}-{m}"), text));
                let stored = sqlite.append(&room.slug, &author, deeds(messages.collect()), Timestamp(n));
                stored.await.expect("the messages are stored");
            }
        }
        if n < 2 {
            let ada = person_with_id("author-0", "Ada '0' 😀 \\");
            let changes = vec![
                edit("e-1", 1, ODD[2]),
                react("r-1", 1, "👍", true),
                edit("e-2", 2, "a text that is deleted"),
                delete("d-2", 2),
                react("r-2", 3, "🎉", true),
                set_title("t", &format!("{} {n}", ODD[0])),
            ];
            let stored = sqlite.append(&room.slug, &ada, changes, Timestamp(n));
            stored.await.expect("the deeds are stored");
        }
    }
    sqlite.close().await;
}

async fn copied(from: &TempDir, to: &str) -> Result<Copied, CopyError> {
    copy(from.path(), to, &[("session", b"the key")], |_| {}).await
}

async fn open(url: &str) -> Result<Postgres, String> {
    let opened = Postgres::open(url, Arc::new(Local::default()), Sharing::Replicas).await;
    opened.map_err(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_arrives_and_the_chat_goes_on() {
    within(async {
        let server = PostgresServer::shared();
        let url = server.url(&server.database());
        let from = source().await;
        let mut all = Vec::new();
        let told = |progress: Progress| all.push(progress);
        let done = copy(from.path(), &url, &[("session", b"the key")], told)
            .await
            .unwrap();
        let counts = (done.rooms, done.events, done.messages, done.people, done.sessions);
        assert_eq!(counts, (3, 212, 200, 5, 15));
        assert_eq!(done.digest.len(), 64);
        let rows = 3 + 212 + 200 + 5 + 15;
        for comparing in [false, true] {
            let whole = Progress {
                comparing,
                done: rows,
                all: rows,
            };
            assert!(all.contains(&whole), "{all:?}");
        }
        assert!(all.iter().all(|progress| progress.done <= rows), "{all:?}");
        assert!(all.last().unwrap().comparing, "{all:?}");

        let sqlite = Sqlite::open(from.path(), Arc::new(Local::default())).unwrap();
        let postgres = open(&url).await.unwrap();
        assert_eq!(
            sqlite.list(10, &[]).await.unwrap(),
            postgres.list(10, &[]).await.unwrap()
        );
        let of_sqlite: Arc<dyn RoomLog> = Arc::new(sqlite.clone());
        for n in 0..3 {
            let slug = room(1, &format!("room-{n}"), "Room").slug;
            assert_eq!(
                sqlite.head(&slug).await.unwrap(),
                postgres.head(&slug).await.unwrap()
            );
            let (before, after) = (
                whole_log(&of_sqlite, &slug).await,
                whole_log(&log(&postgres), &slug).await,
            );
            assert_eq!(before, after);
            let page = of_sqlite.messages(&slug, None, Limit::of(1_000)).await.unwrap();
            assert_eq!(
                page,
                postgres.messages(&slug, None, Limit::of(1_000)).await.unwrap()
            );
            let changed = |message: &&protocol::Message| message.rev != message.seq;
            assert_eq!(
                page.messages.iter().filter(changed).count(),
                if n < 2 { 3 } else { 0 }
            );
        }
        let digest = session("a-session-of-1-and-2");
        let found = postgres.session(&digest).await.unwrap();
        assert!(found.is_some() && found == sqlite.session(&digest).await.unwrap());
        let key = postgres.shared_secret("session", b"another").await.unwrap();
        assert_eq!(key, b"the key");
        // A message that was sent before the move and repeated after it is the same message.
        let (first, author) = (room(1, "room-0", "Room").slug, person_with_id("author-0", "Ada"));
        let append = async |id: &str| {
            let sent = deeds(vec![message(id, ODD[0])]);
            let receipts = postgres.append(&first, &author, sent, Timestamp(9)).await;
            receipts.unwrap()[0].seq.get()
        };
        assert_eq!((append("m-0-7").await, append("next").await), (8, 107));
        Directory::create(&postgres, &room(9, "new", "New"))
            .await
            .unwrap();
        postgres.close().await;
        sqlite.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_empty_is_refused_and_stays_as_it_is() {
    within(async {
        let server = PostgresServer::shared();
        let database = server.database();
        let url = server.url(&database);
        let from = source().await;
        let postgres = open(&url).await.unwrap();
        let said = copied(&from, &url).await.unwrap_err().to_string();
        assert!(said.contains("in use by another hubbub"), "{said}");
        let mine = room(1, "mine", "Mine");
        Directory::create(&postgres, &mine).await.unwrap();
        postgres.close().await;
        let said = copied(&from, &url).await.unwrap_err().to_string();
        assert!(said.contains("not empty") && !said.contains("p@ss"), "{said}");
        assert_eq!(server.sql(&database, "SELECT slug FROM rooms").trim(), "mine");
        open(&url).await.unwrap().close().await;

        let nothing = tempfile::tempdir().unwrap();
        let error = copied(&nothing, &url).await.unwrap_err();
        assert!(matches!(error, CopyError::Missing { .. }), "{error}");
        let left = std::fs::read_dir(nothing.path()).unwrap().count();
        assert_eq!(left, 0, "nothing is created");
        let _running = Sqlite::open(from.path(), Arc::new(Local::default())).unwrap();
        let said = copied(&from, &url).await.unwrap_err().to_string();
        assert!(said.contains("in use by another hubbub"), "{said}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_differs_is_named_and_a_copy_that_is_not_complete_is_not_used() {
    within(async {
        let server = PostgresServer::shared();
        let database = server.database();
        let url = server.url(&database);
        let (from, other) = (source().await, source().await);
        let spoils = [
            (
                "UPDATE events SET body = body || ' ' WHERE seq = 7 AND room_id = 2",
                "events of the room room-1",
            ),
            (
                "DELETE FROM events WHERE seq = 100 AND room_id = 1",
                "room-0 differ (106 rows here, 105 in PostgreSQL)",
            ),
            (
                "UPDATE events SET seq = 1000 WHERE seq = 1 AND room_id = 1",
                "events of the room room-0",
            ),
            (
                "UPDATE rooms SET head = head + 1 WHERE id = 3",
                "the rooms differ",
            ),
            (
                "UPDATE people SET name = 'Eve' WHERE id = 'author-1'",
                "the people differ",
            ),
            (
                "UPDATE messages SET deleted = true WHERE seq = 7 AND room_id = 2",
                "messages of the room room-1",
            ),
            ("UPDATE sessions SET used_at = used_at + 1", "the sessions differ"),
        ];
        for (sql, named) in spoils {
            let mut spoilt = false;
            let spoil = |progress: Progress| {
                if progress.comparing && !spoilt {
                    server.sql(&database, sql);
                    spoilt = true;
                }
            };
            let error = copy(from.path(), &url, &[], spoil).await.unwrap_err();
            let said = error.to_string();
            assert!(said.contains(named) && !said.contains('\n'), "{said}");
            let said = open(&url).await.err().expect("it is refused");
            assert!(said.contains("run hubbub copy again"), "{said}");
        }
        let said = copied(&other, &url).await.unwrap_err().to_string();
        assert!(said.contains("another data folder"), "{said}");
        let (first, again) = (copied(&from, &url).await.unwrap(), server.database());
        let second = copied(&from, &server.url(&again)).await.unwrap();
        assert_eq!(first, second, "the same digest");
        open(&url).await.unwrap().close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn text_that_postgresql_cannot_store_is_named() {
    within(async {
        let server = PostgresServer::shared();
        let url = server.url(&server.database());
        let from = source().await;
        let rename = |name: &str| {
            let database = rusqlite::Connection::open(from.path().join("hubbub.db")).unwrap();
            let sql = "UPDATE people SET name = ?1 WHERE id = 'author-3'";
            database.execute(sql, [name]).unwrap();
        };
        rename("a\0b");
        let said = copied(&from, &url).await.unwrap_err().to_string();
        assert!(
            said.contains("people.name of \"author-3\" contains NUL"),
            "{said}"
        );
        rename("ab");
        copied(&from, &url).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stalls_for_a_while_does_not_end_a_copy() {
    within(async {
        let server = PostgresServer::shared();
        let database = server.database();
        let url = server.url(&database);
        let from = source().await;
        let sqlite = Sqlite::open(from.path(), Arc::new(Local::default())).unwrap();
        let (first, author) = (room(1, "room-0", "Room").slug, person_with_id("author-0", "Ada"));
        // More than the network holds.
        for n in 0..10 {
            let long = (0..50).map(|m| message(&format!("long-{n}-{m}"), &"x".repeat(8_000)));
            let stored = sqlite.append(&first, &author, deeds(long.collect()), Timestamp(1));
            stored.await.unwrap();
        }
        sqlite.close().await;
        let mut stalled = false;
        let stall = |progress: Progress| {
            // Rooms, people and sessions are copied, and events follow.
            if progress.done > 20 && !stalled {
                stalled = true;
                server.sql(
                    &database,
                    "CREATE FUNCTION stall() RETURNS trigger LANGUAGE plpgsql AS
                         $$ BEGIN PERFORM pg_sleep(9); RETURN NEW; END $$;
                     CREATE TRIGGER stall BEFORE INSERT ON events FOR EACH ROW
                         WHEN (NEW.room_id = 1 AND NEW.seq = 110) EXECUTE FUNCTION stall()",
                );
            }
        };
        let copied = copy(from.path(), &url, &[], stall).await;
        assert_eq!(copied.expect("it goes on").messages, 700);
    })
    .await;
}
