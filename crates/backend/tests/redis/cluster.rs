//! Replicas on a cluster, where each room has one slot.

use std::time::Duration;

use chat::ports::{Accounts, Presence, SessionSignal};
use protocol::{RoomSlug, Timestamp};
use testkit::sample::{message, person, session, slug};
use testkit::{RedisCluster, RedisServer, assert_kept, until, within};
use tokio::time::sleep;

use crate::support::{Follower, Truth, Writers, assert_heard, connection, next};

/// How long people write before and after a fault.
const WHILE: Duration = Duration::from_millis(700);
/// The time within which events must arrive once the cluster is whole, on a machine that does much else. How
/// long it takes on a quiet one is in the fault matrix.
const FLOWS: Duration = Duration::from_secs(15);

/// The server that has the lobby, another server, and the lobby's slot.
fn lobby_and_other(cluster: &RedisCluster) -> (&RedisServer, &RedisServer, String) {
    let slot = cluster.servers[0].cli(&["cluster", "keyslot", "lobby"]);
    let index = slot.parse::<usize>().expect("a slot") * 3 / 16_384;
    let (has, other) = (&cluster.servers[index], &cluster.servers[(index + 1) % 3]);
    (has, other, slot)
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_of_all_slots_work_together() {
    within(async {
        let cluster = RedisCluster::start();
        let truth = Truth::start().await;
        let (one, two) = truth.two_replicas(&cluster.url()).await;
        let slugs: Vec<_> = (0..30).map(|n| slug(&format!("room-{n}"))).collect();
        for slug in &slugs {
            two.enter(slug, &person("Ada"), &connection("a")).await.unwrap();
        }
        assert_eq!(one.counts(&slugs).await.unwrap(), vec![1; 30]);
        for server in &cluster.servers {
            assert_ne!(server.cli(&["dbsize"]), "0", "every server has keys");
        }
        let mut ends = two.ends().await.unwrap();
        Accounts::create(&one, &person("Ada"), &session("s"), Timestamp(1))
            .await
            .unwrap();
        one.end(&session("s")).await.unwrap();
        let ended = next(&mut ends, Duration::from_secs(1)).await;
        assert_eq!(ended, SessionSignal::Ended(session("s")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_moves_under_load_loses_no_event() {
    within(async {
        let cluster = RedisCluster::start();
        let truth = Truth::start().await;
        let (one, two) = truth.two_replicas(&cluster.url()).await;
        let followers = vec![Follower::start(&one).await, Follower::start(&two).await];
        let lobby = RoomSlug::lobby();
        two.enter(&lobby, &person("Ada"), &connection("a")).await.unwrap();
        let writers = Writers::start(&[&one, &two], 2);
        sleep(WHILE).await;
        let (from, to, slot) = lobby_and_other(&cluster);
        let id = |server: &RedisServer| server.cli(&["cluster", "myid"]);
        let (from_id, to_id) = (id(from), id(to));
        assert_eq!(
            to.cli(&["cluster", "setslot", &slot, "importing", &from_id]),
            "OK"
        );
        assert_eq!(
            from.cli(&["cluster", "setslot", &slot, "migrating", &to_id]),
            "OK"
        );
        let (host, port) = to
            .address()
            .rsplit_once(':')
            .map(|(h, p)| (h.to_owned(), p.to_owned()))
            .unwrap();
        loop {
            let keys = from.cli(&["cluster", "getkeysinslot", &slot, "100"]);
            if keys.is_empty() {
                break;
            }
            let mut migrate = vec!["migrate", &host, &port, "", "0", "5000", "KEYS"];
            migrate.extend(keys.lines());
            let migrated = from.cli(&migrate);
            assert!(migrated == "OK" || migrated == "NOKEY", "{migrated}");
        }
        // The old server still owns the slot, and redirects clients to the new one.
        sleep(WHILE).await;
        for server in [
            to,
            from,
            &cluster.servers[0],
            &cluster.servers[1],
            &cluster.servers[2],
        ] {
            assert_eq!(server.cli(&["cluster", "setslot", &slot, "node", &to_id]), "OK");
        }
        let head = truth.log().head(&lobby).await.unwrap().seq.get();
        for follower in &followers {
            follower.has(head, FLOWS).await;
        }
        sleep(WHILE).await;
        let numbers = ["pubsub", "shardnumsub", "hubbub:{lobby}"];
        let moved = async || to.cli(&numbers) == "hubbub:{lobby}\n2";
        until("both subscribe at the new server", FLOWS, moved).await;
        let receipts = writers.stop().await;
        assert_kept(&truth.log(), &receipts).await;
        assert_heard(&one, followers, 1).await;
        assert_eq!(one.counts(&[lobby]).await.unwrap(), [1]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_a_cluster_that_restarts_loses_nothing() {
    within(async {
        let mut cluster = RedisCluster::start();
        let truth = Truth::start().await;
        let (one, two) = truth.two_replicas(&cluster.url()).await;
        let followers = vec![Follower::start(&one).await, Follower::start(&two).await];
        let writers = Writers::start(&[&one, &two], 4);
        sleep(WHILE).await;
        let (has, _, _) = lobby_and_other(&cluster);
        let address = has.address();
        let server = cluster
            .servers
            .iter_mut()
            .find(|server| server.address() == address)
            .unwrap();
        server.terminate();
        sleep(WHILE).await;
        server.restart();
        let server = &*server;
        let whole = async || server.cli(&["cluster", "info"]).contains("cluster_state:ok");
        until("the cluster is complete", Duration::from_secs(10), whole).await;
        let head = truth.log().head(&RoomSlug::lobby()).await.unwrap().seq.get();
        for follower in &followers {
            follower.has(head, FLOWS).await;
        }
        let receipts = writers.stop().await;
        assert_kept(&truth.log(), &receipts).await;
        assert_heard(&one, followers, 1).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_takes_over_loses_no_event() {
    within(async {
        let cluster = RedisCluster::start();
        let (has, _, _) = lobby_and_other(&cluster);
        let spare = cluster.add_replica(has);
        let truth = Truth::start().await;
        let (one, two) = truth.two_replicas(&cluster.url()).await;
        let followers = vec![Follower::start(&one).await, Follower::start(&two).await];
        let writers = Writers::start(&[&one, &two], 4);
        sleep(WHILE).await;
        assert_eq!(spare.cli(&["cluster", "failover"]), "OK");
        let primary = async || spare.cli(&["role"]).starts_with("master");
        until("the replica is primary", Duration::from_secs(10), primary).await;
        let head = truth.log().head(&RoomSlug::lobby()).await.unwrap().seq.get();
        for follower in &followers {
            follower.has(head, FLOWS).await;
        }
        sleep(WHILE).await;
        let numbers = ["pubsub", "shardnumsub", "hubbub:{lobby}"];
        let subscribed = async || spare.cli(&numbers) == "hubbub:{lobby}\n2";
        until(
            "the new primary has the subscriptions",
            Duration::from_secs(10),
            subscribed,
        )
        .await;
        let receipts = writers.stop().await;
        assert_kept(&truth.log(), &receipts).await;
        assert_heard(&one, followers, 1).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_is_replaced_by_its_replica() {
    within(async {
        let mut cluster = RedisCluster::with(&["--cluster-node-timeout", "1000"]);
        let (has, _, _) = lobby_and_other(&cluster);
        let (address, spare) = (has.address(), cluster.add_replica(has));
        let truth = Truth::start().await;
        let (one, two) = truth.two_replicas(&cluster.url()).await;
        let (here, there) = (Follower::start(&one).await, Follower::start(&two).await);
        let lobby = RoomSlug::lobby();
        two.enter(&lobby, &person("Ada"), &connection("a")).await.unwrap();
        one.send(&person("Ada"), message("before", "hello")).await;
        there.has(1, FLOWS).await;
        let server = cluster
            .servers
            .iter_mut()
            .find(|server| server.address() == address);
        server.unwrap().kill();
        one.send(&person("Ada"), message("meanwhile", "hello")).await;
        here.has(2, Duration::from_millis(500)).await;
        let primary = async || {
            spare.cli(&["cluster", "info"]).contains("cluster_state:ok")
                && spare.cli(&["role"]).starts_with("master")
        };
        until("the replica takes over", Duration::from_secs(20), primary).await;
        there.has(2, FLOWS).await;
        one.send(&person("Ada"), message("after", "hello")).await;
        there.has(3, FLOWS).await;
        assert_heard(&one, vec![here, there], 1).await;
        let counted = async || one.counts(std::slice::from_ref(&lobby)).await.unwrap() == [1];
        until("everybody is counted", FLOWS * 3, counted).await;
    })
    .await;
}
