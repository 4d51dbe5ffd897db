//! Several replicas on one Redis share one chat.

use std::time::Duration;

use chat::StoreError;
use chat::ports::{Directory, Presence, PresenceChange, RoomLog, Signal};
use futures::StreamExt;
use futures::future::join_all;
use protocol::{RoomSlug, Timestamp};
use testkit::sample::{append, message, messages, person, slug, text, whole_log};
use testkit::{RedisServer, within};

use crate::support::{connection, here, lobby, log, replica, until};

#[tokio::test(flavor = "multi_thread")]
async fn changes_on_one_replica_reach_all() {
    within(async {
        let server = RedisServer::start();
        let (one, two) = (replica(&server.url()).await, replica(&server.url()).await);
        let lobby = lobby(&one).await;
        let mut signals = RoomLog::follow(&two, &lobby).await.unwrap();
        let mut changes = Presence::follow(&two, &lobby).await.unwrap();

        append(&log(&one), &lobby, &person("Ada"), messages("a", 2)).await;
        append(&log(&two), &lobby, &person("Bob"), messages("b", 1)).await;
        for expected in ["a says 1", "a says 2", "b says 1"] {
            match signals.next().await {
                Some(Signal::Event(event)) => assert_eq!(text(&event), expected),
                other => panic!("expected an event, not {other:?}"),
            }
        }
        assert_eq!(
            whole_log(&log(&one), &lobby).await,
            whole_log(&log(&two), &lobby).await
        );
        let again = append(&log(&two), &lobby, &person("Ada"), messages("a", 2)).await;
        assert_eq!(again, [1, 2], "sent again to another replica");

        one.enter(&lobby, &person("Ada"), &connection("laptop"))
            .await
            .unwrap();
        two.enter(&lobby, &person("Ada"), &connection("phone"))
            .await
            .unwrap();
        two.enter(&lobby, &person("Bob"), &connection("laptop"))
            .await
            .unwrap();
        assert_eq!(here(&one).await.unwrap(), ["Ada", "Bob"]);
        one.leave(&lobby, &person("Ada").id, &connection("laptop"))
            .await
            .unwrap();
        assert_eq!(
            here(&two).await.unwrap(),
            ["Ada", "Bob"],
            "she is still on her phone"
        );
        two.leave(&lobby, &person("Ada").id, &connection("phone"))
            .await
            .unwrap();
        one.typing(&lobby, &person("Bob"), true).await.unwrap();
        for expected in [
            PresenceChange::Entered(person("Ada"), 1),
            PresenceChange::Entered(person("Bob"), 2),
            PresenceChange::Left(person("Ada"), 1),
            PresenceChange::Typing(person("Bob"), true),
        ] {
            assert_eq!(changes.next().await, Some(expected));
        }
        assert_eq!(two.room(&lobby).await.unwrap(), one.room(&lobby).await.unwrap());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_replicas_that_follow_a_room_subscribe_to_it() {
    within(async {
        let server = RedisServer::start();
        let mut replicas = Vec::new();
        for _ in 0..4 {
            replicas.push(replica(&server.url()).await);
        }
        let lobby = lobby(&replicas[0]).await;
        let subscribed = || server.cli(&["pubsub", "shardnumsub", "hubbub:{lobby}"]);
        assert_eq!(subscribed(), "hubbub:{lobby}\n0");
        let signals = RoomLog::follow(&replicas[2], &lobby).await.unwrap();
        let changes = Presence::follow(&replicas[2], &lobby).await.unwrap();
        for redis in &replicas {
            append(&log(redis), &lobby, &person("Ada"), messages("m", 1)).await;
            redis
                .enter(&lobby, &person("Ada"), &connection("tab"))
                .await
                .unwrap();
        }
        assert_eq!(subscribed(), "hubbub:{lobby}\n1");
        assert_eq!(server.cli(&["pubsub", "shardchannels"]), "hubbub:{lobby}");
        drop(signals);
        drop(changes);
        let gone = async || subscribed() == "hubbub:{lobby}\n0";
        until("no replica is subscribed", Duration::from_secs(2), gone).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn following_repeatedly_works() {
    within(async {
        let server = RedisServer::start();
        let redis = replica(&server.url()).await;
        let lobby = lobby(&redis).await;
        for n in 0..200 {
            let mut signals = RoomLog::follow(&redis, &lobby).await.unwrap();
            append(
                &log(&redis),
                &lobby,
                &person("Ada"),
                vec![message(&format!("m-{n}"), "hi")],
            )
            .await;
            match signals.next().await {
                Some(Signal::Event(event)) => assert_eq!(event.seq.get(), n + 1),
                other => panic!("expected an event, not {other:?}"),
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_appends_share_packets() {
    within(async {
        let server = RedisServer::start();
        let redis = replica(&server.url()).await;
        let lobby = lobby(&redis).await;
        append(&log(&redis), &lobby, &person("Ada"), messages("first", 1)).await;
        let reads = || {
            let stats = server.cli(&["info", "stats"]);
            let line = stats
                .lines()
                .find_map(|line| line.strip_prefix("total_reads_processed:"));
            line.unwrap().trim().parse::<u64>().unwrap()
        };
        let before = reads();
        let authors: Vec<_> = (0..1_000).map(|n| person(&format!("Author-{n}"))).collect();
        let all = authors
            .iter()
            .map(|author| redis.append(&lobby, author, messages("m", 1), Timestamp(1)));
        for stored in join_all(all).await {
            stored.unwrap();
        }
        let reads = reads() - before;
        assert!(reads < 250, "1,000 appends took {reads} reads");
        assert_eq!(redis.head(&lobby).await.unwrap().seq.get(), 1_001);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_concurrent_appends_are_refused() {
    within(async {
        let server = RedisServer::start();
        let redis = replica(&server.url()).await;
        let lobby = lobby(&redis).await;
        server.stop();
        let authors: Vec<_> = (0..5_000).map(|n| person(&format!("Author-{n}"))).collect();
        let all = authors
            .iter()
            .map(|author| redis.append(&lobby, author, messages("m", 1), Timestamp(1)));
        let all = join_all(all).await;
        server.go_on();
        let busy = all
            .iter()
            .filter(|stored| matches!(stored, Err(StoreError::Busy)));
        assert_eq!(busy.count(), 5_000 - 4_096);
        let failed = all
            .iter()
            .filter(|stored| matches!(stored, Err(StoreError::Failed(_))));
        assert_eq!(failed.count(), 4_096);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_rooms_is_in_the_order_of_activity() {
    within(async {
        let server = RedisServer::start();
        let (one, two) = (replica(&server.url()).await, replica(&server.url()).await);
        for n in 0..100 {
            let room = testkit::sample::room(n, &format!("room-{n}"), "A room");
            Directory::create(&one, &room).await.unwrap();
        }
        // The room stays far back in the list until Redis gets the update, a moment later.
        let (oldest, ada) = (slug("room-0"), person("Ada"));
        let sent = one.append(&oldest, &ada, messages("m", 1), Timestamp(1_000));
        sent.await.unwrap();
        let first = async || {
            let rooms = two.rooms(2).await.unwrap();
            let rooms: Vec<_> = rooms.iter().map(|room| room.slug.as_str()).collect();
            rooms == ["room-0", "room-99"]
        };
        until("the room is first", Duration::from_secs(5), first).await;
        // A room in the list that was never created, as after a crash.
        server.cli(&["zadd", "hubbub:rooms", "5000", "never-was"]);
        assert!(first().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_share_their_secrets() {
    within(async {
        let server = RedisServer::start();
        let (one, two) = (replica(&server.url()).await, replica(&server.url()).await);
        let first = one.shared_secret("cookies", b"first\0\xff").await.unwrap();
        assert_eq!(first, b"first\0\xff");
        assert_eq!(two.shared_secret("cookies", b"second").await.unwrap(), first);
        assert_eq!(two.shared_secret("other", b"second").await.unwrap(), b"second");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_ends_the_streams() {
    within(async {
        let server = RedisServer::start();
        let redis = replica(&server.url()).await;
        let lobby = lobby(&redis).await;
        let mut signals = RoomLog::follow(&redis, &lobby).await.unwrap();
        let mut changes = Presence::follow(&redis, &lobby).await.unwrap();
        redis.close().await;
        redis.close().await;
        assert!(signals.next().await.is_none());
        assert!(changes.next().await.is_none());
        assert!(matches!(
            redis.head(&RoomSlug::lobby()).await,
            Err(StoreError::Failed(_))
        ));
        assert!(RoomLog::follow(&redis, &lobby).await.is_err());
        let connected = async || server.cli(&["client", "list"]).lines().count() == 1;
        until("only this client is connected", Duration::from_secs(2), connected).await;
    })
    .await;
}
