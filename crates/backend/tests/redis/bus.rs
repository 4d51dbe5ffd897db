//! What travels between replicas: out of order, incomplete, too much, or unknown.

use std::sync::Arc;
use std::time::Duration;

use chat::Entry;
use chat::ports::{Presence, PresenceChange, Signal};
use futures::StreamExt;
use futures::stream::BoxStream;
use protocol::{RoomSlug, Timestamp};
use testkit::sample::{deeds, entry, message, messages, person, text};
use testkit::{RedisServer, until, within};
use tokio::time::sleep;

use crate::support::{Follower, Replica, Truth, connection, next};

/// The time within which events must arrive.
const SOON: Duration = Duration::from_secs(2);

/// Publishes what another replica would: these events of the lobby.
fn publish(server: &RedisServer, seqs: &[u64]) {
    let lines: Vec<_> = seqs.iter().map(|seq| line(*seq).to_string()).collect();
    let heard = say(server, &format!("1 events other\n{}", lines.join("\n")));
    assert_eq!(heard, "1", "one replica hears it");
}

/// An event of another replica, as it travels.
fn line(seq: u64) -> serde_json::Value {
    let Entry { event, by } = entry(seq);
    serde_json::json!({ "event": event, "by": by })
}

fn say(server: &RedisServer, message: &str) -> String {
    server.cli(&["spublish", "hubbub:{lobby}", message])
}

async fn follow(replica: &Replica) -> BoxStream<'static, Signal> {
    let lobby = RoomSlug::lobby();
    backend::Bus::follow(&**replica, &lobby)
        .await
        .expect("it can be followed")
}

async fn seq(signals: &mut BoxStream<'static, Signal>) -> u64 {
    match next(signals, SOON).await {
        Signal::Event(entry) => entry.event.seq.get(),
        Signal::Gap => 0,
        Signal::NewEpoch => panic!("never told"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn early_events_wait_for_those_before_them() {
    within(async {
        let server = RedisServer::start();
        let replica = Truth::start().await.replica(&server.url()).await;
        let mut signals = follow(&replica).await;
        publish(&server, &[1]);
        // In one message each, because two calls may take longer than an event waits.
        publish(&server, &[3, 2, 4, 2]);
        for expected in 1..=4 {
            assert_eq!(seq(&mut signals).await, expected);
        }
        // An event of this process fills the hole.
        let own: Vec<_> = [6].map(|n| Arc::new(entry(n))).into();
        backend::Bus::committed(&*replica, &RoomSlug::lobby(), &own);
        publish(&server, &[5]);
        let mut heard = vec![seq(&mut signals).await];
        heard.push(if heard == [0] { 6 } else { seq(&mut signals).await });
        assert!(heard == [5, 6] || heard == [0, 6], "{heard:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_come_in_time_becomes_a_gap() {
    within(async {
        let server = RedisServer::start();
        let replica = Truth::start().await.replica(&server.url()).await;
        let mut signals = follow(&replica).await;
        publish(&server, &[1]);
        assert_eq!(seq(&mut signals).await, 1);
        publish(&server, &[3, 4]);
        assert_eq!(seq(&mut signals).await, 0);
        publish(&server, &[2]);
        publish(&server, &[5]);
        assert_eq!(seq(&mut signals).await, 5, "what came late is in the log");
        say(&server, "1 look other 00000000000000000000000001 5");
        say(&server, "1 look other 00000000000000000000000001 6");
        assert_eq!(seq(&mut signals).await, 0, "only a position that was not heard");
        publish(&server, &[7]);
        assert_eq!(seq(&mut signals).await, 7);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_messages_are_gaps_and_never_a_stall() {
    within(async {
        let server = RedisServer::start();
        let replica = Truth::start().await.replica(&server.url()).await;
        let lobby = RoomSlug::lobby();
        let (mut signals, mut changes) = (
            follow(&replica).await,
            Presence::follow(&*replica, &lobby).await.unwrap(),
        );
        publish(&server, &[1]);
        assert_eq!(seq(&mut signals).await, 1);
        for message in [
            "",
            "news",
            "2 events other\nand more",
            "1 news other of tomorrow",
            "1 events other\nnot JSON",
            "1 presence -\nmoved 7 1 newer Newer",
            "1 typing - loudly",
        ] {
            say(&server, message);
            assert_eq!(seq(&mut signals).await, 0, "{message}");
            assert_eq!(
                next(&mut changes, SOON).await,
                PresenceChange::Unsure,
                "{message}"
            );
        }
        // A kind of event that this version does not know counts.
        let mut later = line(2);
        later["event"]["type"] = "pinned".into();
        say(&server, &format!("1 events other\n{later}"));
        match next(&mut signals, SOON).await {
            Signal::Event(entry) => assert_eq!((entry.event.seq.get(), text(&entry)), (2, "")),
            other => panic!("an event, but: {other:?}"),
        }
        publish(&server, &[3]);
        assert_eq!(seq(&mut signals).await, 3);
        replica
            .enter(&lobby, &person("Ada"), &connection("a"))
            .await
            .unwrap();
        assert_eq!(
            next(&mut changes, SOON).await,
            PresenceChange::Entered(person("Ada"), 1)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_batch_arrives_whole_in_several_messages() {
    within(async {
        let server = RedisServer::start();
        let truth = Truth::start().await;
        let (one, two) = truth.two_replicas(&server.url()).await;
        let mut signals = follow(&two).await;
        let long = "x".repeat(8_000);
        let batch: Vec<_> = (0..100).map(|n| message(&format!("m-{n}"), &long)).collect();
        chat::ports::RoomLog::append(
            &one,
            &RoomSlug::lobby(),
            &person("Ada"),
            deeds(batch),
            Timestamp(1),
        )
        .await
        .unwrap();
        for expected in 1..=100 {
            assert_eq!(seq(&mut signals).await, expected, "nothing has to be read");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_ignores_what_it_said_itself() {
    within(async {
        let server = RedisServer::start();
        let truth = Truth::start().await;
        let one = truth.replica(&server.url()).await;
        let mut signals = follow(&one).await;
        for n in 1..=20 {
            one.send(&person("Ada"), message(&format!("m-{n}"), "hello"))
                .await;
            assert_eq!(seq(&mut signals).await, n);
        }
        sleep(Duration::from_millis(100)).await;
        assert!(futures::FutureExt::now_or_never(signals.next()).is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_that_redis_does_not_take_in_time_are_bounded() {
    within(async {
        let server = RedisServer::start();
        let truth = Truth::start().await;
        let (one, two) = truth.two_replicas(&server.url()).await;
        let follower = Follower::start(&two).await;
        one.send(&person("Ada"), message("first", "hello")).await;
        follower.has(1, SOON).await;
        server.stop();
        // More than the queue takes.
        let long = "x".repeat(8_000);
        let committed: Vec<Arc<Entry>> = (2..2_600)
            .map(|n| {
                let mut event = entry(n);
                if let protocol::Deed::Posted { text, .. } = &mut event.event.deed {
                    *text = protocol::MessageText::try_from(long.clone()).unwrap();
                }
                Arc::new(event)
            })
            .collect();
        for event in &committed {
            backend::Bus::committed(&*one, &RoomSlug::lobby(), std::slice::from_ref(event));
        }
        // The truth has only this one. The others were said on purpose.
        one.send(&person("Ada"), message("second", "hello")).await;
        server.go_on();
        follower.has(2, SOON * 2).await;
        let idle = async || one.check().await.is_ok();
        until("the queue is empty", SOON * 2, idle).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_commits_share_packets() {
    within(async {
        let server = RedisServer::start();
        let truth = Truth::start().await;
        let (one, two) = truth.two_replicas(&server.url()).await;
        let follower = Follower::start(&two).await;
        one.send(&person("Ada"), message("first", "hello")).await;
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
            .map(|author| one.send(author, messages("m", 1).remove(0)));
        futures::future::join_all(all).await;
        follower.has(1_001, SOON * 2).await;
        let reads = reads() - before;
        assert!(reads < 250, "1,000 commits took {reads} reads");
    })
    .await;
}
