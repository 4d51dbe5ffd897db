//! Several replicas share one truth and one Redis.

use std::time::Duration;

use chat::ports::{Presence, PresenceChange, RoomLog, Signal};
use futures::StreamExt;
use protocol::RoomSlug;
use testkit::sample::{append, message, messages, person, text};
use testkit::{PostgresServer, RedisServer, assert_kept, until, within};

use crate::support::{Follower, Replica, Truth, Writers, assert_heard, connection};

/// Waits until this many more events are stored in the lobby.
async fn stored(replica: &Replica, more: u64) {
    let (log, lobby) = (replica.log(), RoomSlug::lobby());
    let head = async || log.head(&lobby).await.expect("the log has a head").seq.get();
    let from = head().await;
    let enough = async || head().await >= from + more;
    until("writing goes on", Duration::from_secs(30), enough).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_on_one_replica_reach_all() {
    within(async {
        let server = RedisServer::start();
        let truth = Truth::start().await;
        let (one, two) = truth.two_replicas(&server.url()).await;
        let lobby = RoomSlug::lobby();
        let mut signals = RoomLog::follow(&two, &lobby).await.unwrap();
        let mut changes = Presence::follow(&*two, &lobby).await.unwrap();

        append(&one.log(), &lobby, &person("Ada"), messages("a", 2)).await;
        for expected in ["a says 1", "a says 2"] {
            match signals.next().await {
                Some(Signal::Event(event)) => assert_eq!(text(&event), expected),
                other => panic!("expected an event, not {other:?}"),
            }
        }
        one.enter(&lobby, &person("Ada"), &connection("laptop"))
            .await
            .unwrap();
        two.enter(&lobby, &person("Ada"), &connection("phone"))
            .await
            .unwrap();
        two.enter(&lobby, &person("Bob"), &connection("laptop"))
            .await
            .unwrap();
        assert_eq!(one.here().await, ["Ada", "Bob"]);
        one.leave(&lobby, &person("Ada").id, &connection("laptop"))
            .await
            .unwrap();
        assert_eq!(two.here().await, ["Ada", "Bob"], "she is still on her phone");
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
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_on_three_replicas_are_heard_in_one_order() {
    within(async {
        let server = RedisServer::start();
        let truth = Truth::start().await;
        let mut replicas = Vec::new();
        let mut followers = Vec::new();
        for _ in 0..3 {
            let replica = truth.replica(&server.url()).await;
            followers.push(Follower::start(&replica).await);
            replicas.push(replica);
        }
        let writers = Writers::start(&replicas.iter().collect::<Vec<_>>(), 8);
        stored(&replicas[0], 1_000).await;
        let receipts = writers.stop().await;
        assert_kept(&truth.log(), &receipts).await;
        assert_heard(&replicas[0], followers, 1).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_with_connections_of_their_own_to_postgres_have_one_order() {
    within(async {
        let (postgres, mut server) = (PostgresServer::shared(), RedisServer::start());
        let database = postgres.url(&postgres.database());
        let mut replicas = Vec::new();
        let mut followers = Vec::new();
        for _ in 0..3 {
            let replica = Replica::on_postgres(&database, &server.url()).await;
            followers.push(Follower::start(&replica).await);
            replicas.push(replica);
        }
        let writers = Writers::start(&replicas.iter().collect::<Vec<_>>(), 8);
        stored(&replicas[0], 200).await;
        server.kill();
        stored(&replicas[0], 100).await;
        server.restart();
        stored(&replicas[0], 100).await;
        let receipts = writers.stop().await;
        assert_kept(&replicas[0].log(), &receipts).await;
        assert_heard(&replicas[0], followers, 1).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_replicas_that_follow_a_room_subscribe_to_it() {
    within(async {
        let server = RedisServer::start();
        let truth = Truth::start().await;
        let mut replicas = Vec::new();
        for _ in 0..4 {
            replicas.push(truth.replica(&server.url()).await);
        }
        let lobby = RoomSlug::lobby();
        let subscribed = || server.cli(&["pubsub", "shardnumsub", "hubbub:{lobby}"]);
        assert_eq!(subscribed(), "hubbub:{lobby}\n0");
        let signals = RoomLog::follow(&replicas[2], &lobby).await.unwrap();
        let changes = Presence::follow(&*replicas[2], &lobby).await.unwrap();
        for replica in &replicas {
            append(&replica.log(), &lobby, &person("Ada"), vec![message("m", "hi")]).await;
            replica
                .enter(&lobby, &person("Ada"), &connection("tab"))
                .await
                .unwrap();
        }
        assert_eq!(subscribed(), "hubbub:{lobby}\n1");
        let channels = server.cli(&["pubsub", "shardchannels", "hubbub:{*"]);
        assert_eq!(channels, "hubbub:{lobby}");
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
        let truth = Truth::start().await;
        let (one, two) = truth.two_replicas(&server.url()).await;
        let lobby = RoomSlug::lobby();
        for n in 0..200 {
            let mut signals = RoomLog::follow(&two, &lobby).await.unwrap();
            let sent = vec![message(&format!("m-{n}"), "hi")];
            append(&one.log(), &lobby, &person("Ada"), sent).await;
            match signals.next().await {
                Some(Signal::Event(event)) => assert_eq!(event.event.seq.get(), n + 1),
                other => panic!("expected an event, not {other:?}"),
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_tells_others_and_ends_the_streams() {
    within(async {
        let server = RedisServer::start();
        let truth = Truth::start().await;
        let (one, two) = truth.two_replicas(&server.url()).await;
        let lobby = RoomSlug::lobby();
        let mut there = RoomLog::follow(&two, &lobby).await.unwrap();
        let mut signals = RoomLog::follow(&one, &lobby).await.unwrap();
        let mut changes = Presence::follow(&*one, &lobby).await.unwrap();
        append(&one.log(), &lobby, &person("Ada"), messages("m", 500)).await;
        one.close().await;
        one.close().await;
        while signals.next().await.is_some() {}
        assert!(changes.next().await.is_none());
        for expected in 1..=500 {
            match there.next().await {
                Some(Signal::Event(event)) => assert_eq!(event.event.seq.get(), expected),
                other => panic!("expected an event, not {other:?}"),
            }
        }
        assert!(one.check().await.is_err());
        assert!(
            RoomLog::follow(&one, &lobby)
                .await
                .unwrap()
                .next()
                .await
                .is_none()
        );
        two.close().await;
        let connected = async || server.cli(&["client", "list"]).lines().count() == 1;
        until("only this client is connected", Duration::from_secs(2), connected).await;
    })
    .await;
}
