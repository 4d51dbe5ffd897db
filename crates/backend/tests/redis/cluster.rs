//! Replicas on a cluster, where each room lives in one slot.

use std::time::{Duration, Instant};

use chat::ports::{Directory, Presence};
use testkit::sample::{append, message, messages, person, room, slug, whole_log};
use testkit::{RedisCluster, RedisServer, within};
use tokio::time::sleep;

use crate::support::{Follower, Writers, assert_heard, assert_kept, connection, log, replica, send, until};

/// How long people write before and after a fault.
const WHILE: Duration = Duration::from_millis(700);

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
        let (one, two) = (replica(&cluster.url()).await, replica(&cluster.url()).await);
        let slugs: Vec<_> = (0..30).map(|n| slug(&format!("room-{n}"))).collect();
        for (n, slug) in (0..).zip(&slugs) {
            Directory::create(&one, &room(n, slug.as_str(), "A room"))
                .await
                .unwrap();
            append(&log(&one), slug, &person("Ada"), messages("m", 2)).await;
            two.enter(slug, &person("Ada"), &connection("a")).await.unwrap();
        }
        assert_eq!(two.rooms(100).await.unwrap().len(), 30);
        assert_eq!(one.counts(&slugs).await.unwrap(), vec![1; 30]);
        for slug in &slugs {
            assert_eq!(whole_log(&log(&two), slug).await.len(), 2);
        }
        for server in &cluster.servers {
            assert_ne!(server.cli(&["dbsize"]), "0", "every server has keys");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_moves_under_load_loses_no_event() {
    within(async {
        let cluster = RedisCluster::start();
        let (one, two) = (replica(&cluster.url()).await, replica(&cluster.url()).await);
        let (first, second) = (Follower::start(&one).await, Follower::start(&two).await);
        two.enter(&slug("lobby"), &person("Ada"), &connection("a"))
            .await
            .unwrap();
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
        for n in 0..20 {
            let begun = Instant::now();
            append(
                &log(&one),
                &slug("lobby"),
                &person("Ada"),
                messages(&format!("{n}"), 1),
            )
            .await;
            assert!(
                begun.elapsed() < Duration::from_millis(500),
                "the redirect is followed"
            );
        }
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
        let before = second.last();
        let heard = async || second.last() > before + 5;
        until("events arrive again", Duration::from_secs(3), heard).await;
        sleep(WHILE).await;
        let receipts = writers.stop().await;
        assert_kept(&one, &receipts).await;
        assert_heard(&one, vec![first, second], 1).await;
        assert_eq!(one.counts(&[slug("lobby")]).await.unwrap(), [1]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_a_cluster_that_restarts_loses_nothing() {
    within(async {
        let mut cluster = RedisCluster::with(&["--appendonly", "yes"]);
        let (one, two) = (replica(&cluster.url()).await, replica(&cluster.url()).await);
        let follower = Follower::start(&two).await;
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
        let before = follower.last();
        let heard = async || follower.last() > before;
        until("events arrive again", Duration::from_secs(2), heard).await;
        let receipts = writers.stop().await;
        assert_kept(&one, &receipts).await;
        assert_heard(&one, vec![follower], 1).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_takes_over_loses_no_event() {
    within(async {
        let cluster = RedisCluster::start();
        let (has, _, _) = lobby_and_other(&cluster);
        let spare = cluster.add_replica(has);
        let (one, two) = (replica(&cluster.url()).await, replica(&cluster.url()).await);
        let follower = Follower::start(&two).await;
        let writers = Writers::start(&[&one, &two], 4);
        sleep(WHILE).await;
        assert_eq!(spare.cli(&["cluster", "failover"]), "OK");
        let primary = async || spare.cli(&["role"]).starts_with("master");
        until("the replica is primary", Duration::from_secs(10), primary).await;
        let before = follower.last();
        let heard = async || follower.last() > before + 20;
        until("events arrive again", Duration::from_secs(2), heard).await;
        sleep(WHILE).await;
        let numbers = ["pubsub", "shardnumsub", "hubbub:{lobby}"];
        let subscribed = async || spare.cli(&numbers) == "hubbub:{lobby}\n1";
        until(
            "the new primary has the subscription",
            Duration::from_secs(10),
            subscribed,
        )
        .await;
        let receipts = writers.stop().await;
        assert_kept(&one, &receipts).await;
        assert_heard(&one, vec![follower], 1).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_is_replaced_by_its_replica() {
    within(async {
        let mut cluster = RedisCluster::with(&["--cluster-node-timeout", "1000"]);
        let (has, _, _) = lobby_and_other(&cluster);
        let (address, spare) = (has.address(), cluster.add_replica(has));
        let (one, two) = (replica(&cluster.url()).await, replica(&cluster.url()).await);
        let follower = Follower::start(&two).await;
        two.enter(&slug("lobby"), &person("Ada"), &connection("a"))
            .await
            .unwrap();
        let before = send(&one, &person("Ada"), message("before", "hello")).await.seq;
        // Events that the replica does not have yet would be lost with the primary.
        let offset = |server: &RedisServer, name: &str| {
            let info = server.cli(&["info", "replication"]);
            let line = info.lines().find_map(|line| line.strip_prefix(name));
            line.map(|offset| offset.trim().to_owned())
        };
        let has = lobby_and_other(&cluster).0;
        let copied = async || offset(has, "master_repl_offset:") == offset(&spare, "slave_repl_offset:");
        until("the replica has the event", Duration::from_secs(5), copied).await;
        let server = cluster
            .servers
            .iter_mut()
            .find(|server| server.address() == address);
        server.unwrap().kill();
        let primary = async || {
            spare.cli(&["cluster", "info"]).contains("cluster_state:ok")
                && spare.cli(&["role"]).starts_with("master")
        };
        until("the replica takes over", Duration::from_secs(20), primary).await;
        let begun = Instant::now();
        send(&one, &person("Ada"), message("after", "hello")).await;
        let heard = async || follower.last() > before.get();
        until("the event arrives", Duration::from_secs(2), heard).await;
        assert!(begun.elapsed() < Duration::from_secs(2));
        assert_heard(&one, vec![follower], 1).await;
        assert_eq!(one.counts(&[slug("lobby")]).await.unwrap(), [1]);
    })
    .await;
}
