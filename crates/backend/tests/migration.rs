//! Data folders of earlier versions: everything in them is there, and more can be stored.

use std::sync::Arc;

use backend::{Local, Sqlite};
use chat::ports::{Accounts, Directory, RoomLog};
use chat::{Limit, StoreError};
use protocol::{Seq, Timestamp};
use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use testkit::sample::{
    append, delete, message, messages, person, person_with_id, room, seq, session, slug, whole_log,
};
use testkit::within;

/// A folder of version 2: a lobby, a room with the same title, an empty one, and one with a damaged event at its end.
/// Cleo wrote under two names and has no session any more.
const VERSION_2: &str = concat!(
    include_str!("../src/sqlite/schema/1.sql"),
    include_str!("../src/sqlite/schema/2.sql"),
    r#"
    INSERT INTO rooms (id, slug, title, epoch, head, created_at, last_at) VALUES
        (1, 'lobby', 'Lobby', 'e1', 3, 1, 30), (2, 'empty', 'Empty', 'e2', 0, 2, NULL),
        (4, 'lobby-2', 'LOBBY', 'e4', 0, 4, NULL),
        (3, 'damaged', 'Damaged', 'e3', 2, 3, 50);
    INSERT INTO people VALUES ('ada', 'Ada', 1), ('reader', 'Reader', 1);
    -- The token is "a-token-of-version-2".
    INSERT INTO sessions VALUES (x'a77c1d87df7692b6fc50ed896f2d34eec9a36d30119c89fe74be6290f1252eea', 'reader', 1, 2);
    INSERT INTO events (room_id, seq, at, author_id, author_name, client_id, body) VALUES
        (1, 1, 10, 'cleo', 'Cleo', 'c-1', '{"type":"posted","client_id":"c-1","text":"one"}'),
        (1, 2, 20, 'ada', 'Adah', 'a-1', '{"type":"posted","client_id":"a-1","text":"\"two\"\n\ud83e\udde5"}'),
        (1, 3, 30, 'cleo', 'Cleopatra', 'c-2', '{"type":"posted","client_id":"c-2","text":"three"}'),
        (3, 1, 40, 'ada', 'Ada', 'a-1', '{"type":"posted","client_id":"a-1","text":"whole"}'),
        (3, 2, 50, 'ada', 'Ada', 'a-2', '[]');
    PRAGMA application_id = 1215652450;
    PRAGMA user_version = 2;
"#
);

#[tokio::test]
async fn events_of_version_2_are_messages() {
    within(async {
        let folder = tempfile::tempdir().unwrap();
        let old = Connection::open(folder.path().join("hubbub.db")).unwrap();
        // There are no sessions to convert.
        let none = |_: &mut rusqlite::functions::Context<'_>| Ok(Vec::<u8>::new());
        old.create_scalar_function("sha256", 1, FunctionFlags::SQLITE_UTF8, none)
            .unwrap();
        old.execute_batch(VERSION_2).unwrap();
        drop(old);
        for round in 0..2 {
            let sqlite = Sqlite::open(folder.path(), Arc::new(Local::default())).unwrap();
            let lobby = slug("lobby");
            let page = sqlite.messages(&lobby, None, Limit::HISTORY).await.unwrap();
            let shown: Vec<_> = page
                .messages
                .iter()
                .take(3)
                .map(|message| {
                    (
                        message.seq.get(),
                        message.at,
                        message.by.as_str(),
                        message.client_id.as_str(),
                        message.text.as_str(),
                    )
                })
                .collect();
            assert_eq!(
                shown,
                [
                    (1, Timestamp(10), "cleo", "c-1", "one"),
                    (2, Timestamp(20), "ada", "a-1", "\"two\"\n🧥"),
                    (
                        3,
                        Timestamp(30),
                        "cleo",
                        "c-2",
                        if round == 0 { "three" } else { "" }
                    ),
                ]
            );
            assert_eq!((page.covers.first, page.more), (seq(1), false));
            let cleo = person_with_id("cleo", "Cleopatra");
            assert_eq!(
                page.people,
                [person("Ada"), cleo.clone()],
                "by their latest names"
            );
            let log: Arc<dyn RoomLog> = Arc::new(sqlite.clone());
            let events = whole_log(&log, &lobby).await;
            assert_eq!((events.len(), &events[0].by), (3 + 2 * round, &cleo));

            let again = vec![message("c-1", "again"), message("new", "four")];
            assert_eq!(append(&log, &lobby, &cleo, again).await, [1, 4]);
            log.append(&lobby, &cleo, vec![delete("d", 3)], Timestamp(60))
                .await
                .unwrap();

            let empty = sqlite
                .messages(&slug("empty"), None, Limit::HISTORY)
                .await
                .unwrap();
            assert!(empty.messages.is_empty() && !empty.more);
            let damaged = slug("damaged");
            let page = sqlite.messages(&damaged, None, Limit::HISTORY).await.unwrap();
            assert_eq!(page.messages[0].text.as_str(), "whole");
            let read = sqlite.read(&damaged, Seq::ZERO, Limit::CATCH_UP).await;
            assert!(matches!(read, Err(StoreError::Damaged(_))));
            append(&log, &damaged, &person("Ada"), messages("after", 1)).await;
            assert_eq!(sqlite.list(10, &[]).await.unwrap().rooms.len(), 4);
            let again = Directory::create(&sqlite, &room(9, "new", "lobby!")).await;
            assert!(matches!(again, Err(StoreError::RoomExists(has)) if has == lobby));
            let reader = sqlite.session(&session("a-token-of-version-2")).await.unwrap();
            assert_eq!(reader.unwrap().person, person("Reader"));
            sqlite.close().await;
        }
    })
    .await;
}
