//! What only SQLite promises: what is on the disk, and who can access it.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use backend::{Local, OpenError, Sqlite};
use chat::ports::{Accounts, Directory, RoomLog, Signal};
use chat::{Limit, StoreError};
use futures::StreamExt;
use protocol::{Deed, RoomSlug, Seq, Timestamp};
use testkit::sample::{append, deeds, messages, person, react, room, session, whole_log};
use testkit::within;

fn open(folder: &Path) -> Sqlite {
    Sqlite::open(folder, Arc::new(Local::default())).expect("the folder can be opened")
}

fn log(sqlite: &Sqlite) -> Arc<dyn RoomLog> {
    Arc::new(sqlite.clone())
}

async fn create_lobby(sqlite: &Sqlite) -> RoomSlug {
    let lobby = room(1, "lobby", "Lobby");
    let created = Directory::create(sqlite, &lobby).await;
    created.expect("the room is created");
    lobby.slug
}

fn refused(folder: &Path) -> OpenError {
    match Sqlite::open(folder, Arc::new(Local::default())) {
        Ok(_) => panic!("{} should be refused", folder.display()),
        Err(error) => error,
    }
}

#[tokio::test]
async fn everything_survives_opening_again() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let ada = person("Ada");
        let sqlite = open(folder.path());
        let lobby = create_lobby(&sqlite).await;
        Accounts::create(&sqlite, &ada, &session("token"), Timestamp(1))
            .await
            .unwrap();
        assert_eq!(
            append(&log(&sqlite), &lobby, &ada, messages("m", 3)).await,
            [1, 2, 3]
        );
        let (head, events) = (
            sqlite.head(&lobby).await.unwrap(),
            whole_log(&log(&sqlite), &lobby).await,
        );
        let rooms = sqlite.list(10, &[]).await.unwrap();
        drop(sqlite);

        for round in 0..2_u64 {
            let sqlite = open(folder.path());
            assert_eq!(sqlite.head(&lobby).await.unwrap().epoch, head.epoch);
            let stored = whole_log(&log(&sqlite), &lobby).await;
            assert_eq!(stored[..3], events);
            let again = append(&log(&sqlite), &lobby, &ada, messages("m", 3)).await;
            assert_eq!(again, [1, 2, 3], "sent again after a restart");
            let new = append(&log(&sqlite), &lobby, &ada, messages(&format!("r{round}"), 1)).await;
            assert_eq!(new, [4 + round]);
            let found = Accounts::session(&sqlite, &session("token")).await.unwrap();
            assert_eq!(found.map(|session| session.person).as_ref(), Some(&ada));
            assert_eq!(sqlite.list(10, &[]).await.unwrap(), rooms);
            sqlite.close().await;
        }
    })
    .await;
}

#[tokio::test]
async fn closing_unlocks_the_folder() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = open(folder.path());
        let lobby = create_lobby(&sqlite).await;
        append(&log(&sqlite), &lobby, &person("Ada"), messages("m", 1)).await;
        sqlite.close().await;
        sqlite.close().await;

        assert!(matches!(sqlite.head(&lobby).await, Err(StoreError::Failed(_))));
        let ada = person("Ada");
        let late = sqlite.append(&lobby, &ada, deeds(messages("late", 1)), Timestamp(1));
        assert!(matches!(late.await, Err(StoreError::Failed(_))));
        let again = open(folder.path());
        assert_eq!(again.head(&lobby).await.unwrap().seq.get(), 1);
    })
    .await;
}

#[test]
fn two_servers_do_not_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    let sentence = format!(
        "the data folder {} is in use by another hubbub; stop it or choose another folder",
        folder.path().display()
    );
    assert_eq!(refused(folder.path()).to_string(), sentence);
    drop(first);
    open(folder.path());
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let parent = tempfile::tempdir().unwrap();
    let path = |name: &str| parent.path().join(name);
    let under_a_file = path("file/data");
    fs::write(path("file"), "").unwrap();
    let a_file = path("file");
    let without_lock = path("without-lock");
    fs::create_dir_all(without_lock.join("hubbub.lock")).unwrap();
    let without_database = path("without-database");
    fs::create_dir_all(without_database.join("hubbub.db")).unwrap();
    for (folder, begins) in [
        (
            &under_a_file,
            format!("cannot create the data folder {}: ", under_a_file.display()),
        ),
        (
            &a_file,
            format!("cannot create the data folder {}: ", a_file.display()),
        ),
        (
            &without_lock,
            format!("cannot write {}/hubbub.lock: ", without_lock.display()),
        ),
        (
            &without_database,
            format!("cannot write {}/hubbub.db: ", without_database.display()),
        ),
    ] {
        let sentence = refused(folder).to_string();
        let (_, cause) = sentence
            .split_once(&begins)
            .unwrap_or_else(|| panic!("{sentence:?} does not begin with {begins:?}"));
        assert!(!cause.is_empty() && !sentence.contains('\n'), "{sentence}");
    }
}

#[test]
fn a_newer_database_is_refused_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let file = folder.path().join("hubbub.db");
    let database = rusqlite::Connection::open(&file).unwrap();
    database
        .execute_batch("PRAGMA journal_mode = DELETE; PRAGMA user_version = 99;")
        .unwrap();
    drop(database);
    let before = fs::read(&file).unwrap();
    let sentence = format!(
        "{} has version 99, and this hubbub knows versions up to 3; run the newer hubbub that wrote it",
        file.display()
    );
    assert_eq!(refused(folder.path()).to_string(), sentence);
    assert!(fs::read(&file).unwrap() == before, "not a byte has changed");
}

#[test]
fn other_files_are_refused_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hubbub.db");
    let sentence = format!(
        "{} is not a hubbub database; move it away or choose another folder",
        file.display()
    );
    let other = folder.path().join("other.db");
    let database = rusqlite::Connection::open(&other).unwrap();
    database
        .execute_batch("CREATE TABLE recipes (title TEXT)")
        .unwrap();
    drop(database);
    for foreign in [vec![b'x'; 5_000], b"short".to_vec(), fs::read(&other).unwrap()] {
        fs::write(&file, &foreign).unwrap();
        assert_eq!(refused(folder.path()).to_string(), sentence);
        assert!(fs::read(&file).unwrap() == foreign, "not a byte has changed");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_access_the_folder() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("deep/data");
    let sqlite = open(&folder);
    create_lobby(&sqlite).await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(Result::unwrap).collect();
    assert!(files.iter().any(|file| file.file_name() == "hubbub.db-wal"));
    for file in files {
        assert_eq!(mode(&file.path()), 0o600, "{}", file.path().display());
    }
}

#[tokio::test]
async fn a_slow_follower_of_a_log_is_told_of_the_gap() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = open(folder.path());
        let lobby = create_lobby(&sqlite).await;
        let mut signals = RoomLog::follow(&sqlite, &lobby).await.unwrap();
        for batch in 0..31 {
            let sent = messages(&format!("b{batch}"), 100);
            append(&log(&sqlite), &lobby, &person("Ada"), sent).await;
        }
        let mut heard = Seq::ZERO;
        while let Some(Signal::Event(event)) = signals.next().await {
            assert_eq!(
                event.event.seq,
                heard.next(),
                "the events in the queue come first, in order"
            );
            heard = event.event.seq;
        }
        // The gap ended the loop. Events after it are new.
        assert!((1..3_100).contains(&heard.get()));
        append(&log(&sqlite), &lobby, &person("Ada"), messages("after", 1)).await;
        match signals.next().await {
            Some(Signal::Event(entry)) => assert_eq!(entry.event.seq.get(), 3_101),
            other => panic!("expected an event, not {other:?}"),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_and_writes_do_not_block_each_other() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = open(folder.path());
        let lobby = create_lobby(&sqlite).await;
        let reading = (0..64).map(|_| {
            let (log, lobby) = (log(&sqlite), lobby.clone());
            tokio::spawn(async move { while whole_log(&log, &lobby).await.len() < 200 {} })
        });
        let reading: Vec<_> = reading.collect();
        for message in messages("m", 200) {
            append(&log(&sqlite), &lobby, &person("Ada"), vec![message]).await;
        }
        for reader in reading {
            reader.await.unwrap();
        }
    })
    .await;
}

/// A log of ten messages, after another program changed the database.
async fn tampered(sql: &str) -> (tempfile::TempDir, Sqlite, RoomSlug) {
    let folder = tempfile::tempdir().expect("a folder");
    let sqlite = open(folder.path());
    let lobby = create_lobby(&sqlite).await;
    append(&log(&sqlite), &lobby, &person("Ada"), messages("m", 10)).await;
    drop(sqlite);
    let database = rusqlite::Connection::open(folder.path().join("hubbub.db")).expect("the database");
    assert_eq!(database.execute(sql, []).expect("SQL"), 1, "{sql}");
    drop(database);
    let sqlite = open(folder.path());
    (folder, sqlite, lobby)
}

#[tokio::test]
async fn a_reaction_does_not_write_the_text_again() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = open(folder.path());
        let lobby = create_lobby(&sqlite).await;
        let ada = person("Ada");
        append(&log(&sqlite), &lobby, &ada, messages("m", 1)).await;
        let reaction = vec![react("r", 1, "👍", true)];
        sqlite.append(&lobby, &ada, reaction, Timestamp(2)).await.unwrap();
        let database = rusqlite::Connection::open(folder.path().join("hubbub.db")).unwrap();
        let texts = "SELECT count(text), max(rev) FROM folded";
        let texts: (u32, u32) = database
            .query_row(texts, [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        assert_eq!(texts, (0, 2));
    })
    .await;
}

#[tokio::test]
async fn a_hole_in_a_log_is_an_error() {
    within(async {
        for sql in [
            "DELETE FROM events WHERE seq = 5",
            "UPDATE events SET body = '[]' WHERE seq = 5",
            "UPDATE events SET body = '{\"text\":\"hello\"}' WHERE seq = 5",
        ] {
            let (_folder, sqlite, lobby) = tampered(sql).await;
            let damaged = |stretch: Result<chat::Stretch, StoreError>| match stretch {
                Err(StoreError::Damaged(_)) => {}
                other => panic!("after {sql}: {other:?}"),
            };
            let at = testkit::sample::seq;
            damaged(sqlite.read(&lobby, Seq::ZERO, Limit::CATCH_UP).await);
            damaged(sqlite.read(&lobby, at(4), Limit::of(1)).await);
            let after = sqlite.read(&lobby, at(5), Limit::CATCH_UP).await.unwrap();
            assert_eq!(after.entries.len(), 5);
            let page = sqlite.messages(&lobby, None, Limit::HISTORY).await;
            assert!(
                matches!(page, Err(StoreError::Damaged(_))),
                "its message is missing"
            );
            let older = sqlite
                .messages(&lobby, Some(at(5)), Limit::HISTORY)
                .await
                .unwrap();
            assert_eq!(older.messages.len(), 4);
        }
        let (_folder, sqlite, lobby) = tampered("DELETE FROM events WHERE seq = 10").await;
        let stretch = sqlite.read(&lobby, Seq::ZERO, Limit::CATCH_UP).await;
        assert!(
            matches!(stretch, Err(StoreError::Damaged(_))),
            "the last event is missing"
        );
    })
    .await;
}

#[tokio::test]
async fn a_missing_message_is_an_error() {
    within(async {
        let at = testkit::sample::seq;
        for (sql, before, whole) in [
            ("DELETE FROM folded WHERE seq = 5", None, Some(4)),
            ("DELETE FROM folded WHERE seq = 5", Some(6), Some(4)),
            ("DELETE FROM folded WHERE seq = 10", None, Some(9)),
            ("DELETE FROM folded WHERE seq = 1", None, None),
            ("UPDATE folded SET rev = -1 WHERE seq = 5", None, Some(5)),
            ("UPDATE folded SET reactions = '{' WHERE seq = 5", None, Some(5)),
        ] {
            let (_folder, sqlite, lobby) = tampered(sql).await;
            match sqlite.messages(&lobby, before.map(at), Limit::HISTORY).await {
                Err(StoreError::Damaged(_)) => {}
                other => panic!("after {sql}: {other:?}"),
            }
            if let Some(whole) = whole {
                let page = sqlite
                    .messages(&lobby, Some(at(whole)), Limit::HISTORY)
                    .await
                    .unwrap();
                assert_eq!((page.messages.len() as u64, page.more), (whole - 1, false));
            }
            let stretch = sqlite.read(&lobby, Seq::ZERO, Limit::CATCH_UP).await.unwrap();
            assert_eq!(stretch.entries.len(), 10, "the log is whole");
        }
    })
    .await;
}

#[tokio::test]
async fn an_event_of_an_unknown_type_counts_in_the_log() {
    within(async {
        let sql = "UPDATE events SET body = '{\"type\":\"reacted\",\"to\":[3],\"text\":{}}' WHERE seq = 5";
        let (_folder, sqlite, lobby) = tampered(sql).await;
        let events = whole_log(&log(&sqlite), &lobby).await;
        assert_eq!(events.len(), 10);
        assert_eq!(events[4].event.deed, Deed::Unknown);
        let sql = "UPDATE events SET body = json_set(body, '$.mood', json('{\"a\":[1]}')) WHERE seq = 5";
        let (_folder, sqlite, lobby) = tampered(sql).await;
        let events = whole_log(&log(&sqlite), &lobby).await;
        assert_eq!(testkit::sample::text(&events[4]), "m says 5");
    })
    .await;
}
