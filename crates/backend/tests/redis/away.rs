//! While Redis is away, each replica works on its own: people on it hear each other at once, rooms can be joined, and
//! everybody else hears as soon as Redis is back.

use std::time::{Duration, Instant};

use chat::RoomUpdate;
use chat::ports::{Presence, PresenceChange};
use protocol::RoomSlug;
use testkit::sample::{append, message, messages, person, slug};
use testkit::{Proxy, RedisServer, assert_kept, until, within};
use tokio::time::sleep;

use crate::support::{Follower, Truth, Writers, assert_heard, connection, next};

/// The time within which everybody must hear after Redis accepts connections again, on a machine that does much else. How
/// long it takes on a quiet one is in the fault matrix.
const FLOWS: Duration = Duration::from_secs(15);
/// How long people write before and after a fault.
const WHILE: Duration = Duration::from_millis(700);

#[tokio::test(flavor = "multi_thread")]
async fn people_on_one_replica_hear_each_other_and_all_others_later() {
    within(async {
        let mut server = RedisServer::start();
        let truth = Truth::start().await;
        let (one, two) = truth.two_replicas(&server.url()).await;
        let (here, there) = (Follower::start(&one).await, Follower::start(&two).await);
        one.send(&person("Ada"), message("before", "hello")).await;
        there.has(1, FLOWS).await;
        server.kill();
        // Not only while the connections break, but also after that.
        for round in 0..3 {
            for n in 0..10 {
                let sent = one
                    .send(&person("Ada"), message(&format!("{round}-{n}"), "hello"))
                    .await;
                let took = here.has(sent.seq.get(), FLOWS).await;
                assert!(took < Duration::from_millis(300), "heard after {took:?}");
            }
            sleep(WHILE).await;
        }
        assert_eq!(there.last(), 1);
        server.restart();
        there.has(31, FLOWS).await;
        assert_heard(&two, vec![here, there], 1).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_can_be_joined() {
    within(async {
        let mut server = RedisServer::start();
        let truth = Truth::start().await;
        let (one, two) = truth.two_replicas(&server.url()).await;
        let lobby = RoomSlug::lobby();
        two.enter(&lobby, &person("Bob"), &connection("b")).await.unwrap();
        let mut changes = Presence::follow(&*one, &lobby).await.unwrap();
        assert_eq!(one.here().await, ["Bob"]);
        assert!(!one.roster(&lobby, 10).await.unwrap().stale);
        server.kill();
        assert_eq!(next(&mut changes, FLOWS).await, PresenceChange::Unsure);
        assert!(one.roster(&lobby, 10).await.unwrap().stale);
        // Twice: while the connections break, and once they are known to be broken.
        for (n, name) in ["Ada", "Cleo"].into_iter().enumerate() {
            let begun = Instant::now();
            one.enter(&lobby, &person(name), &connection(name)).await.unwrap();
            assert!(one.here().await.contains(&name.to_owned()));
            let updates = one
                .hub()
                .await
                .follow(&slug("lobby"), None)
                .await
                .unwrap()
                .updates;
            assert!(begun.elapsed() < FLOWS, "joining took {:?}", begun.elapsed());
            drop(updates);
            sleep(WHILE * u32::try_from(1 - n).unwrap()).await;
        }
        assert_eq!(
            one.here().await,
            ["Ada", "Bob", "Cleo"],
            "Bob was here when Redis was last heard of"
        );
        assert_eq!(one.counts(&[lobby.clone(), slug("other")]).await.unwrap(), [3, 0]);
        assert_eq!(one.occupied(10).await.unwrap(), std::slice::from_ref(&lobby));
        one.typing(&lobby, &person("Ada"), true).await.unwrap();
        assert_eq!(
            next(&mut changes, FLOWS).await,
            PresenceChange::Typing(person("Ada"), true)
        );
        one.leave(&lobby, &person("Cleo").id, &connection("Cleo"))
            .await
            .unwrap();
        assert_eq!(two.here().await, ["Bob"], "it has not heard of the others");

        server.restart();
        let settled = async || one.here().await == ["Ada", "Bob"] && two.here().await == ["Ada", "Bob"];
        until("everybody knows who is here", FLOWS * 2, settled).await;
        assert_eq!(next(&mut changes, FLOWS).await, PresenceChange::Unsure);
        assert!(!one.roster(&lobby, 10).await.unwrap().stale);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_replica_could_not_tell_is_told_later() {
    within(async {
        let server = RedisServer::start();
        let proxy = Proxy::before(&server.address()).await;
        let truth = Truth::start().await;
        let cut_off = truth.replica(&format!("redis://{}", proxy.address())).await;
        let two = truth.replica(&server.url()).await;
        let follower = Follower::start(&two).await;
        append(
            &cut_off.log(),
            &RoomSlug::lobby(),
            &person("Ada"),
            messages("before", 1),
        )
        .await;
        follower.has(1, FLOWS).await;
        for silent in [false, true] {
            if silent {
                proxy.hold();
            } else {
                proxy.cut();
            }
            let from = follower.last();
            for n in 0..20 {
                cut_off
                    .send(&person("Ada"), message(&format!("{silent}-{n}"), "hello"))
                    .await;
                sleep(Duration::from_millis(100)).await;
            }
            if !silent {
                assert_eq!(follower.last(), from, "nobody tells the other replica");
            }
            proxy.pass();
            // No further event comes that would show that some are missing.
            follower.has(from + 20, FLOWS).await;
        }
        assert_heard(&two, vec![follower], 1).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_missed_while_cut_off_arrive_without_new_ones() {
    within(async {
        let server = RedisServer::start();
        let proxy = Proxy::before(&server.address()).await;
        let truth = Truth::start().await;
        let one = truth.replica(&server.url()).await;
        let two = truth.replica(&format!("redis://{}", proxy.address())).await;
        let (lobby, ada) = (RoomSlug::lobby(), person("Ada"));
        let mut updates = two.hub().await.follow(&lobby, None).await.unwrap().updates;
        append(&one.log(), &lobby, &ada, messages("before", 1)).await;
        let first = next(&mut updates, FLOWS).await;
        assert!(matches!(first, RoomUpdate::Events(events) if events.len() == 1));
        proxy.cut();
        let unreachable = async || two.check().await.is_err();
        until("the replica is cut off", FLOWS, unreachable).await;
        append(&one.log(), &lobby, &ada, messages("meanwhile", 3)).await;
        one.enter(&lobby, &ada, &connection("a")).await.unwrap();
        proxy.pass();
        let mut missing = vec!["events", "presence"];
        while !missing.is_empty() {
            match next(&mut updates, FLOWS).await {
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

/// Redis ends while people write, and comes back empty.
async fn ends_and_restarts(end: impl Fn(&mut RedisServer)) {
    let mut server = RedisServer::start();
    let truth = Truth::start().await;
    let (one, two) = truth.two_replicas(&server.url()).await;
    let followers = vec![Follower::start(&one).await, Follower::start(&two).await];
    let writers = Writers::start(&[&one, &two], 4);
    for _ in 0..2 {
        sleep(WHILE).await;
        end(&mut server);
        sleep(WHILE).await;
        server.restart();
        let head = truth.log().head(&RoomSlug::lobby()).await;
        let head = head.expect("there is a head").seq.get();
        for follower in &followers {
            follower.has(head, FLOWS).await;
        }
    }
    let receipts = writers.stop().await;
    assert_kept(&truth.log(), &receipts).await;
    assert!(receipts.len() > 100);
    assert_heard(&one, followers, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_loses_nothing() {
    within(ends_and_restarts(RedisServer::terminate)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_loses_nothing() {
    within(ends_and_restarts(RedisServer::kill)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_hangs_is_noticed() {
    within(async {
        let server = RedisServer::start();
        let truth = Truth::start().await;
        let (one, two) = truth.two_replicas(&server.url()).await;
        let followers = vec![Follower::start(&one).await, Follower::start(&two).await];
        let writers = Writers::start(&[&one, &two], 4);
        let lobby = RoomSlug::lobby();
        for stopped in [Duration::from_millis(300), Duration::from_secs(4)] {
            sleep(WHILE).await;
            server.stop();
            sleep(stopped).await;
            let begun = Instant::now();
            one.enter(&lobby, &person("Ada"), &connection("a")).await.unwrap();
            assert!(begun.elapsed() < Duration::from_secs(1), "at most a second");
            let begun = Instant::now();
            assert!(one.here().await.contains(&"Ada".to_owned()));
            assert!(begun.elapsed() < Duration::from_secs(1), "at most a second");
            let begun = Instant::now();
            assert!(one.check().await.is_err());
            drop(Presence::follow(&*one, &slug("new")).await.unwrap());
            assert!(begun.elapsed() < Duration::from_secs(2), "each within a second");
            server.go_on();
            let head = truth.log().head(&lobby).await.unwrap().seq.get();
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
async fn a_redis_without_memory_tells_events() {
    within(async {
        let server = RedisServer::start();
        let truth = Truth::start().await;
        let (one, two) = truth.two_replicas(&server.url()).await;
        let follower = Follower::start(&two).await;
        server.cli(&["config", "set", "maxmemory", "1"]);
        let lobby = RoomSlug::lobby();
        one.enter(&lobby, &person("Ada"), &connection("a")).await.unwrap();
        assert!(one.check().await.is_err());
        one.send(&person("Ada"), message("m", "hello")).await;
        follower.has(1, FLOWS).await;
        server.cli(&["config", "set", "maxmemory", "0"]);
        let settled = async || two.here().await == ["Ada"];
        until("the other replica knows who is here", FLOWS * 3, settled).await;
    })
    .await;
}
