//! A damaged log is noticed, and does not spoil others.

use chat::ports::{Directory, RoomLog};
use chat::{Limit, StoreError};
use protocol::{Seq, Timestamp};
use testkit::sample::{append, deeds, messages, person, room, seq, slug};
use testkit::{PostgresServer, within};

use crate::support::{lobby, log, replica};

#[tokio::test(flavor = "multi_thread")]
async fn a_hole_is_noticed() {
    within(async {
        let server = PostgresServer::shared();
        let database = server.database();
        let postgres = replica(&server.url(&database)).await;
        let lobby = lobby(&postgres).await;
        append(&log(&postgres), &lobby, &person("Ada"), messages("m", 9)).await;
        for damage in [
            "UPDATE events SET body = '{\"text\": \"hello\"}' WHERE seq = 5",
            "UPDATE events SET body = 'nonsense' WHERE seq = 5",
            "DELETE FROM events WHERE seq = 5",
        ] {
            server.sql(&database, damage);
            let newer = postgres.read(&lobby, Seq::ZERO, Limit::of(9)).await;
            assert!(
                matches!(newer, Err(StoreError::Damaged(_))),
                "{damage}: {newer:?}"
            );
            let beside = postgres.read(&lobby, seq(5), Limit::of(9)).await.unwrap();
            assert_eq!((beside.entries.len(), beside.more), (4, false), "{damage}");
        }
        let page = postgres.messages(&lobby, None, Limit::of(9)).await.unwrap();
        assert_eq!(page.messages.len(), 9, "the messages are whole");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_message_is_noticed() {
    within(async {
        let server = PostgresServer::shared();
        let database = server.database();
        let postgres = replica(&server.url(&database)).await;
        let lobby = lobby(&postgres).await;
        append(&log(&postgres), &lobby, &person("Ada"), messages("m", 9)).await;
        for (damage, before) in [
            ("UPDATE messages SET client_id = '?' WHERE seq = 5", None),
            ("UPDATE messages SET reactions = '{' WHERE seq = 5", Some(6)),
            ("DELETE FROM messages WHERE seq = 5", None),
            ("DELETE FROM messages WHERE seq = 5 OR seq = 4", Some(6)),
            ("DELETE FROM messages WHERE seq = 9", None),
        ] {
            server.sql(&database, damage);
            let page = postgres.messages(&lobby, before.map(seq), Limit::of(9)).await;
            assert!(matches!(page, Err(StoreError::Damaged(_))), "{damage}: {page:?}");
            let older = postgres.messages(&lobby, Some(seq(4)), Limit::of(9)).await.ok();
            assert!(older.is_none_or(|older| older.messages.len() == 3), "{damage}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_cannot_be_written_spoils_no_other() {
    within(async {
        let server = PostgresServer::shared();
        let database = server.database();
        let postgres = replica(&server.url(&database)).await;
        let good = lobby(&postgres).await;
        for address in ["behind", "strange"] {
            Directory::create(&postgres, &room(1, address, address))
                .await
                .unwrap();
            append(&log(&postgres), &slug(address), &person("Ada"), messages("m", 3)).await;
        }
        // Its next seq is taken already.
        server.sql(&database, "UPDATE rooms SET head = 1 WHERE slug = 'behind'");
        server.sql(
            &database,
            "UPDATE rooms SET epoch = 'not an epoch' WHERE slug = 'strange'",
        );
        let (bad, strange) = (slug("behind"), slug("strange"));
        let (ada, bob) = (person("Ada"), person("Bob"));
        let sending = (0..50).map(|n| {
            let (postgres, ada, good) = (postgres.clone(), ada.clone(), good.clone());
            async move {
                postgres
                    .append(&good, &ada, deeds(messages(&format!("g{n}"), 2)), Timestamp(1))
                    .await
            }
        });
        let (fine, failed, damaged) = tokio::join!(
            futures::future::join_all(sending),
            postgres.append(&bad, &bob, deeds(messages("new", 1)), Timestamp(1)),
            postgres.append(&strange, &bob, deeds(messages("new", 1)), Timestamp(1)),
        );
        assert!(fine.iter().all(Result::is_ok));
        assert!(matches!(failed, Err(StoreError::Failed(_))), "{failed:?}");
        assert!(matches!(damaged, Err(StoreError::Damaged(_))), "{damaged:?}");
        assert_eq!(postgres.head(&good).await.unwrap().seq.get(), 100);
    })
    .await;
}
