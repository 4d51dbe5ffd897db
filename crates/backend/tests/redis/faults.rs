//! Faults of Redis while it answers: connections break, another server takes over, data is lost. No follower misses
//! anything.

use std::time::{Duration, Instant};

use chat::ports::Presence;
use protocol::RoomSlug;
use testkit::sample::{message, person};
use testkit::{Proxy, RedisServer, assert_kept, until, within};
use tokio::time::sleep;

use crate::support::{Follower, Truth, Writers, assert_heard, connection};

/// The time within which events must arrive after Redis accepts connections again, on a machine that does much else. How
/// long it takes on a quiet one is in the fault matrix.
const FLOWS: Duration = Duration::from_secs(15);
/// How long people write before and after a fault.
const WHILE: Duration = Duration::from_millis(700);

#[tokio::test(flavor = "multi_thread")]
async fn killed_connections_lose_no_event() {
    within(async {
        let server = RedisServer::start();
        let truth = Truth::start().await;
        let (one, two) = truth.two_replicas(&server.url()).await;
        let followers = vec![Follower::start(&one).await, Follower::start(&two).await];
        let writers = Writers::start(&[&one, &two], 4);
        for n in 0..12 {
            sleep(Duration::from_millis(100)).await;
            // Connections for commands have the type "normal".
            let kind = if n % 3 == 2 { "normal" } else { "pubsub" };
            server.cli(&["client", "kill", "type", kind, "skipme", "yes"]);
        }
        let receipts = writers.stop().await;
        assert_kept(&truth.log(), &receipts).await;
        assert!(receipts.len() > 100);
        // What was cut off last arrives without another event.
        let head = truth.log().head(&RoomSlug::lobby()).await.unwrap().seq.get();
        for follower in &followers {
            follower.has(head, FLOWS).await;
        }
        assert_heard(&one, followers, 1).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_with_connections_left_open_is_followed() {
    within(async {
        let old = RedisServer::with(&["--repl-diskless-sync-delay", "0"]);
        let port = |server: &RedisServer| server.address().rsplit_once(':').unwrap().1.to_owned();
        let new = RedisServer::with(&["--replicaof", &format!("127.0.0.1 {}", port(&old))]);
        let proxy = Proxy::before(&old.address()).await;
        let truth = Truth::start().await;
        let (one, two) = truth.two_replicas(&format!("redis://{}", proxy.address())).await;
        let followers = vec![Follower::start(&one).await, Follower::start(&two).await];
        one.check().await.unwrap();
        let synced = async || new.cli(&["get", "hubbub:format"]) == "2";
        until("the replica has everything", FLOWS * 5, synced).await;
        let writers = Writers::start(&[&one, &two], 4);
        sleep(WHILE).await;
        new.cli(&["replicaof", "no", "one"]);
        old.cli(&["replicaof", "127.0.0.1", &port(&new)]);
        let away = async || one.check().await.is_err() && two.check().await.is_err();
        until("both notice that Redis is read-only", FLOWS, away).await;
        proxy.redirect_to(&new.address());
        let back = async || one.check().await.is_ok() && two.check().await.is_ok();
        until("both are connected to the new primary", FLOWS * 2, back).await;
        let receipts = writers.stop().await;
        assert_kept(&truth.log(), &receipts).await;
        let head = truth.log().head(&RoomSlug::lobby()).await.unwrap().seq.get();
        for follower in &followers {
            follower.has(head, FLOWS).await;
        }
        assert_eq!(
            new.cli(&["pubsub", "shardnumsub", "hubbub:{lobby}"]),
            "hubbub:{lobby}\n2"
        );
        assert_heard(&one, followers, 1).await;
    })
    .await;
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
        let truth = Truth::start().await;
        let (one, two) = truth.two_replicas(&server.url()).await;
        let follower = Follower::start(&two).await;
        one.send(&person("Ada"), message("before", "hello")).await;
        assert_eq!(server.cli(&["debug", "populate", "2500"]), "OK");
        assert_eq!(server.cli(&["save"]), "OK");
        server.kill();
        one.send(&person("Ada"), message("away", "hello")).await;
        let begun = Instant::now();
        server.restart();
        assert!(begun.elapsed() > Duration::from_secs(2), "loading must take long");
        follower.has(2, FLOWS).await;
        one.send(&person("Ada"), message("after", "hello")).await;
        assert_heard(&one, vec![follower], 1).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_recover_from_a_broken_network() {
    within(async {
        let server = RedisServer::start();
        let proxy = Proxy::before(&server.address()).await;
        let truth = Truth::start().await;
        let one = truth.replica(&server.url()).await;
        let two = truth.replica(&format!("redis://{}", proxy.address())).await;
        let followers = vec![Follower::start(&one).await, Follower::start(&two).await];
        let writers = Writers::start(&[&one, &two], 4);
        for silent in [false, true] {
            sleep(WHILE).await;
            if silent {
                proxy.hold()
            } else {
                proxy.cut()
            }
            sleep(Duration::from_secs(3)).await;
            proxy.pass();
            let head = truth.log().head(&RoomSlug::lobby()).await.unwrap().seq.get();
            for follower in &followers {
                follower.has(head, FLOWS).await;
            }
        }
        let receipts = writers.stop().await;
        assert_kept(&truth.log(), &receipts).await;
        assert_heard(&one, followers, 1).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_emptied_loses_nothing() {
    within(async {
        let server = RedisServer::start();
        let truth = Truth::start().await;
        let (one, two) = truth.two_replicas(&server.url()).await;
        let lobby = RoomSlug::lobby();
        let followers = vec![Follower::start(&one).await, Follower::start(&two).await];
        one.enter(&lobby, &person("Ada"), &connection("a")).await.unwrap();
        two.enter(&lobby, &person("Bob"), &connection("b")).await.unwrap();
        let writers = Writers::start(&[&one, &two], 4);
        for _ in 0..3 {
            sleep(WHILE).await;
            server.cli(&["flushall"]);
        }
        let everybody = async || one.here().await == ["Ada", "Bob"];
        until("all are back", FLOWS * 3, everybody).await;
        let claimed = async || server.cli(&["get", "hubbub:format"]) == "2";
        until("another replica can start", FLOWS * 2, claimed).await;
        let receipts = writers.stop().await;
        assert_kept(&truth.log(), &receipts).await;
        assert_heard(&one, followers, 1).await;
    })
    .await;
}
