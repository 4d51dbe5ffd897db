//! Redis fails in every way that we know: nothing acknowledged is lost, nothing is duplicated, no follower misses
//! anything, and the replicas recover by themselves.

use std::time::{Duration, Instant};

use chat::ports::{Directory, Presence, RoomLog, Signal};
use chat::{Limit, RoomUpdate, StoreError};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use protocol::{RoomSlug, Timestamp};
use testkit::sample::{append, message, messages, person, room};
use testkit::{Proxy, RedisServer, within};
use tokio::time::sleep;

use crate::support::{
    Follower, Writers, assert_heard, assert_kept, connection, follow_again, hub, lobby, log, replica, send,
    until,
};

/// The time within which events must arrive after Redis accepts connections again.
const FLOWS: Duration = Duration::from_secs(2);
/// How long people write before and after a fault.
const WHILE: Duration = Duration::from_millis(700);

async fn signal(signals: &mut BoxStream<'static, Signal>) -> Signal {
    let signal = tokio::time::timeout(Duration::from_secs(8), signals.next()).await;
    signal.expect("a signal in time").expect("the stream continues")
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_connections_lose_no_event() {
    within(async {
        let server = RedisServer::start();
        let (one, two) = (replica(&server.url()).await, replica(&server.url()).await);
        let (first, second) = (Follower::start(&one).await, Follower::start(&two).await);
        let writers = Writers::start(&[&one, &two], 4);
        for n in 0..12 {
            sleep(Duration::from_millis(100)).await;
            // Connections for commands have the type "normal".
            let kind = if n % 3 == 2 { "normal" } else { "pubsub" };
            server.cli(&["client", "kill", "type", kind, "skipme", "yes"]);
        }
        let receipts = writers.stop().await;
        assert!(assert_kept(&one, &receipts).await > 100);
        let lost = assert_heard(&one, vec![first, second], 1).await;
        assert_eq!(lost, 0, "the streams continue");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_with_connections_left_open_is_followed() {
    within(async {
        let old = RedisServer::with(&["--repl-diskless-sync-delay", "0"]);
        let (host, port) = old
            .address()
            .rsplit_once(':')
            .map(|(h, p)| (h.to_owned(), p.to_owned()))
            .unwrap();
        let new = RedisServer::with(&["--replicaof", &format!("{host} {port}")]);
        let proxy = Proxy::before(&old.address()).await;
        let redis = replica(&format!("redis://{}", proxy.address())).await;
        let follower = Follower::start(&redis).await;
        let author = person("Ada");
        let receipts = append(&log(&redis), &RoomSlug::lobby(), &author, messages("before", 3)).await;
        assert_eq!(receipts.len(), 3);
        redis.check().await.unwrap();
        let synced = async || new.cli(&["get", "hubbub:format"]) == "1";
        until("the replica has everything", FLOWS * 5, synced).await;

        new.cli(&["replicaof", "no", "one"]);
        let (host, port) = new
            .address()
            .rsplit_once(':')
            .map(|(h, p)| (h.to_owned(), p.to_owned()))
            .unwrap();
        old.cli(&["replicaof", &host, &port]);
        let unready = async || redis.check().await.is_err();
        until("not ready while Redis is read-only", FLOWS, unready).await;
        proxy.redirect_to(&new.address());
        let ready = async || redis.check().await.is_ok();
        until("ready again", FLOWS * 2, ready).await;
        append(&log(&redis), &RoomSlug::lobby(), &author, messages("after", 3)).await;
        assert_eq!(new.cli(&["hget", "hubbub:{lobby}:room", "head"]), "6");
        let before = follower.last();
        let heard = async || follower.last() >= before.max(6);
        until("events of the new primary arrive", FLOWS * 2, heard).await;
    })
    .await;
}

/// Redis ends under load and restarts with its data.
async fn ends_and_restarts(mut server: RedisServer, end: impl Fn(&mut RedisServer)) {
    let (one, two) = (replica(&server.url()).await, replica(&server.url()).await);
    let follower = Follower::start(&two).await;
    let writers = Writers::start(&[&one, &two], 4);
    for _ in 0..2 {
        sleep(WHILE).await;
        end(&mut server);
        let begun = Instant::now();
        assert!(matches!(
            one.head(&RoomSlug::lobby()).await,
            Err(StoreError::Failed(_))
        ));
        assert!(RoomLog::follow(&one, &RoomSlug::lobby()).await.is_err());
        assert!(
            begun.elapsed() < Duration::from_secs(2),
            "each call within a second"
        );
        sleep(WHILE).await;
        server.restart();
        // Redis accepts connections now.
        let before = follower.last();
        let heard = async || follower.last() > before;
        until("events arrive again", FLOWS, heard).await;
    }
    let receipts = writers.stop().await;
    assert_kept(&one, &receipts).await;
    assert_heard(&one, vec![follower], 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_loses_nothing() {
    let server = RedisServer::with(&["--appendonly", "yes"]);
    within(ends_and_restarts(server, RedisServer::terminate)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_loses_nothing() {
    let server = RedisServer::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    within(ends_and_restarts(server, RedisServer::kill)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_loads_for_long_loses_no_follower() {
    within(async {
        let mut server = RedisServer::with(&[
            "--enable-debug-command",
            "yes",
            // Microseconds per key, so that a few keys take as long as millions.
            "--key-load-delay",
            "1000",
            "--loading-process-events-interval-bytes",
            "1024",
        ]);
        let redis = replica(&server.url()).await;
        let follower = Follower::start(&redis).await;
        send(&redis, &person("Ada"), message("before", "hello")).await;
        assert_eq!(server.cli(&["debug", "populate", "2500"]), "OK");
        assert_eq!(server.cli(&["save"]), "OK");
        server.kill();
        let begun = Instant::now();
        server.restart();
        assert!(begun.elapsed() > Duration::from_secs(2), "loading must take long");
        send(&redis, &person("Ada"), message("after", "hello")).await;
        let lost = assert_heard(&redis, vec![follower], 1).await;
        assert_eq!(lost, 0, "the stream continues");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_hangs_is_noticed() {
    within(async {
        let server = RedisServer::start();
        let (one, two) = (replica(&server.url()).await, replica(&server.url()).await);
        let follower = Follower::start(&two).await;
        let writers = Writers::start(&[&one, &two], 4);
        for stopped in [Duration::from_millis(300), Duration::from_secs(4)] {
            sleep(WHILE).await;
            server.stop();
            sleep(stopped).await;
            let lobby = RoomSlug::lobby();
            let calls: [BoxFuture<'_, bool>; 6] = [
                Box::pin(async { one.head(&lobby).await.is_err() }),
                Box::pin(async { RoomLog::follow(&one, &lobby).await.is_err() }),
                Box::pin(async { one.rooms(10).await.is_err() }),
                Box::pin(async { one.roster(&lobby, 10).await.is_err() }),
                Box::pin(async { Directory::create(&one, &room(1, "new", "New")).await.is_err() }),
                Box::pin(async { one.shared_secret("cookies", b"secret").await.is_err() }),
            ];
            for call in calls {
                let begun = Instant::now();
                assert!(call.await, "the call fails");
                assert!(
                    begun.elapsed() < Duration::from_secs(1),
                    "a call takes at most a second"
                );
            }
            let before = follower.last();
            server.go_on();
            let heard = async || follower.last() > before;
            until("events arrive again", FLOWS, heard).await;
        }
        let receipts = writers.stop().await;
        assert_kept(&one, &receipts).await;
        assert_heard(&one, vec![follower], 1).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_recover_from_a_broken_network() {
    within(async {
        let server = RedisServer::start();
        let proxy = Proxy::before(&server.address()).await;
        let one = replica(&server.url()).await;
        let two = replica(&format!("redis://{}", proxy.address())).await;
        let follower = Follower::start(&two).await;
        let writers = Writers::start(&[&one, &two], 4);
        for silent in [false, true] {
            sleep(WHILE).await;
            if silent {
                proxy.hold()
            } else {
                proxy.cut()
            }
            sleep(Duration::from_secs(3)).await;
            let before = follower.last();
            proxy.pass();
            let heard = async || follower.last() > before;
            until("events arrive again", FLOWS, heard).await;
        }
        let receipts = writers.stop().await;
        assert_kept(&one, &receipts).await;
        assert_heard(&one, vec![follower], 1).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_missed_while_cut_off_arrive_without_new_ones() {
    within(async {
        let server = RedisServer::start();
        let proxy = Proxy::before(&server.address()).await;
        let one = replica(&server.url()).await;
        let two = replica(&format!("redis://{}", proxy.address())).await;
        let (lobby, ada) = (lobby(&one).await, person("Ada"));
        let mut updates = hub(&two).await.follow(&lobby, None).await.unwrap().updates;
        append(&log(&one), &lobby, &ada, messages("before", 1)).await;
        assert!(matches!(updates.next().await, Some(RoomUpdate::Events(events)) if events.len() == 1));
        proxy.cut();
        let unreachable = async || two.head(&lobby).await.is_err();
        until("the replica is cut off", FLOWS, unreachable).await;
        append(&log(&one), &lobby, &ada, messages("meanwhile", 3)).await;
        one.enter(&lobby, &ada, &connection("a")).await.unwrap();
        proxy.pass();
        let mut missing = vec!["events", "presence"];
        let limit = tokio::time::Instant::now() + FLOWS;
        while !missing.is_empty() {
            let updates = tokio::time::timeout_at(limit, updates.next()).await;
            match updates.expect("an update in time").expect("the stream continues") {
                RoomUpdate::Events(events) if events.len() == 3 => missing.retain(|what| *what != "events"),
                RoomUpdate::Roster(roster) if roster.here == 1 => missing.retain(|what| *what != "presence"),
                // The roster may come more than once.
                RoomUpdate::Roster(_) => {}
                other => panic!("expected three events and a roster, not {other:?}"),
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_whose_message_was_lost_is_noticed() {
    within(async {
        let server = RedisServer::start();
        let redis = replica(&server.url()).await;
        let lobby = lobby(&redis).await;
        let mut signals = RoomLog::follow(&redis, &lobby).await.unwrap();
        append(&log(&redis), &lobby, &person("Ada"), messages("m", 1)).await;
        assert!(matches!(signal(&mut signals).await, Signal::Event(_)));
        // Store the next event without publishing it.
        let entry = server.cli(&["xrange", "hubbub:{lobby}:log", "-", "+"]);
        let fields: Vec<_> = entry.lines().skip(1).collect();
        let mut add = vec!["xadd", "hubbub:{lobby}:log", "2-0"];
        add.extend(&fields);
        assert_eq!(server.cli(&add), "2-0");
        server.cli(&["hset", "hubbub:{lobby}:room", "head", "2"]);
        assert!(matches!(signal(&mut signals).await, Signal::Gap));
        assert_eq!(redis.head(&lobby).await.unwrap().seq.get(), 2);
        // The gap is reported once.
        append(&log(&redis), &lobby, &person("Ada"), messages("n", 1)).await;
        sleep(Duration::from_secs(4)).await;
        append(&log(&redis), &lobby, &person("Ada"), messages("o", 1)).await;
        for expected in [3, 4] {
            match signal(&mut signals).await {
                Signal::Event(event) => assert_eq!(event.seq.get(), expected),
                other => panic!("expected an event, not {other:?}"),
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_emptied_is_another_chat() {
    within(async {
        let server = RedisServer::start();
        let redis = replica(&server.url()).await;
        let lobby = lobby(&redis).await;
        let mut signals = RoomLog::follow(&redis, &lobby).await.unwrap();
        append(&log(&redis), &lobby, &person("Ada"), messages("m", 3)).await;
        for _ in 0..3 {
            assert!(matches!(signal(&mut signals).await, Signal::Event(_)));
        }
        server.cli(&["flushall"]);
        assert!(matches!(signal(&mut signals).await, Signal::Gap));
        let gone = redis.head(&lobby).await;
        assert!(matches!(gone, Err(StoreError::NoSuchRoom(_))));
        let sent = redis
            .append(&lobby, &person("Ada"), messages("m", 1), Timestamp(1))
            .await;
        assert!(matches!(sent, Err(StoreError::NoSuchRoom(_))));
        assert!(redis.rooms(10).await.unwrap().is_empty());

        Directory::create(&redis, &room(1, "lobby", "Lobby"))
            .await
            .unwrap();
        assert!(matches!(signal(&mut signals).await, Signal::NewEpoch));
        let again = append(&log(&redis), &lobby, &person("Ada"), messages("m", 1)).await;
        assert_eq!(again, [1]);
        assert!(matches!(signal(&mut signals).await, Signal::Event(_)));

        server.cli(&["flushall"]);
        // Create the room again before the replica notices.
        Directory::create(&redis, &room(1, "lobby", "Lobby"))
            .await
            .unwrap();
        assert!(matches!(signal(&mut signals).await, Signal::NewEpoch));
        assert!(hub(&redis).await.check().await.is_ok());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_lost_events_begins_another_epoch() {
    within(async {
        for append_first in [true, false] {
            // Snapshots only: a crash loses everything after the latest one.
            let mut server = RedisServer::with(&["--dbfilename", "dump.rdb"]);
            let redis = replica(&server.url()).await;
            let lobby = lobby(&redis).await;
            // Follow through the hub: if the new epoch began before the replica subscribed again, the backend only
            // reports a gap, and the hub reads the log.
            let hub = hub(&redis).await;
            let mut updates = hub.follow(&lobby, None).await.unwrap().updates;
            append(&log(&redis), &lobby, &person("Ada"), messages("m", 3)).await;
            server.cli(&["save"]);
            append(&log(&redis), &lobby, &person("Ada"), messages("n", 3)).await;
            let before = redis.head(&lobby).await.unwrap();
            server.kill();
            server.restart();
            if append_first {
                let receipt = send(&redis, &person("Ada"), message("o-1", "hello")).await;
                assert_eq!(receipt.seq.get(), 4);
                assert_ne!(receipt.epoch, before.epoch);
            }
            let told = async {
                loop {
                    match updates.next().await {
                        Some(RoomUpdate::Reset(head)) if head.epoch != before.epoch => break,
                        // The log went back, but has no other epoch yet.
                        Some(RoomUpdate::Reset(_) | RoomUpdate::Roster(_)) => {}
                        Some(RoomUpdate::Events(events)) => {
                            assert!(events.iter().all(|event| event.epoch == before.epoch));
                        }
                        // Follow again from the last position, like the server.
                        Some(RoomUpdate::Lost(_)) => updates = follow_again(&hub, &before).await,
                        other => panic!("expected another epoch, not {other:?}"),
                    }
                }
            };
            let told = tokio::time::timeout(Duration::from_secs(8), told).await;
            told.expect("a reset in time");
            let after = redis.head(&lobby).await.unwrap().epoch;
            sleep(Duration::from_secs(4)).await;
            assert_eq!(redis.head(&lobby).await.unwrap().epoch, after, "once");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hole_in_a_log_is_an_error() {
    within(async {
        let server = RedisServer::start();
        let redis = replica(&server.url()).await;
        let lobby = lobby(&redis).await;
        append(&log(&redis), &lobby, &person("Ada"), messages("m", 5)).await;
        server.cli(&["xdel", "hubbub:{lobby}:log", "3-0"]);
        let damaged = redis.read(&lobby, testkit::sample::seq(1), Limit::HISTORY).await;
        assert!(matches!(damaged, Err(StoreError::Damaged(_))), "{damaged:?}");
        assert!(redis.read_before(&lobby, None, Limit::HISTORY).await.is_err());
        assert!(redis.read_before(&lobby, None, Limit::events(2)).await.is_ok());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_without_memory_refuses_writes_and_recovers() {
    within(async {
        let server = RedisServer::start();
        let redis = replica(&server.url()).await;
        let lobby = lobby(&redis).await;
        append(&log(&redis), &lobby, &person("Ada"), messages("m", 2)).await;
        server.cli(&["config", "set", "maxmemory", "1"]);
        let refused = redis
            .append(&lobby, &person("Ada"), messages("n", 2), Timestamp(1))
            .await;
        assert!(matches!(refused, Err(StoreError::Failed(_))));
        assert_eq!(
            redis.head(&lobby).await.unwrap().seq.get(),
            2,
            "reading still works"
        );
        server.cli(&["config", "set", "maxmemory", "0"]);
        let receipt = send(&redis, &person("Ada"), message("n-1", "hello")).await;
        assert_eq!(receipt.seq.get(), 3);
    })
    .await;
}
