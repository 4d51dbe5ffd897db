//! People of dead replicas disappear, and people of replicas that were only cut off come back.

use std::time::Duration;

use chat::ports::{Presence, PresenceChange};
use testkit::sample::person;
use testkit::{Proxy, RedisServer, until, within};
use tokio::time::{Instant, sleep};

use protocol::RoomSlug;

use crate::support::{Truth, connection, next};

/// The time within which the people of a killed replica must disappear.
const FORGOTTEN: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread")]
async fn the_people_of_a_replica_that_dies_leave() {
    within(async {
        let server = RedisServer::start();
        let truth = Truth::start().await;
        let (one, two) = truth.two_replicas(&server.url()).await;
        truth.forget_replicas();
        let lobby = RoomSlug::lobby();
        let mut changes = Presence::follow(&*one, &lobby).await.unwrap();
        one.enter(&lobby, &person("Ada"), &connection("a")).await.unwrap();
        two.enter(&lobby, &person("Bob"), &connection("b")).await.unwrap();
        two.enter(&lobby, &person("Bob"), &connection("c")).await.unwrap();
        two.enter(&lobby, &person("Ada"), &connection("d")).await.unwrap();
        // Dropped without closing, as if killed.
        drop(two);
        assert_eq!(
            next(&mut changes, FORGOTTEN).await,
            PresenceChange::Entered(person("Ada"), 1)
        );
        assert_eq!(
            next(&mut changes, FORGOTTEN).await,
            PresenceChange::Entered(person("Bob"), 2)
        );
        assert_eq!(one.here().await, ["Ada", "Bob"]);
        assert_eq!(
            next(&mut changes, FORGOTTEN).await,
            PresenceChange::Left(person("Bob"), 1)
        );
        assert_eq!(one.here().await, ["Ada"], "she is still on the first replica");
        assert_eq!(server.cli(&["hlen", "hubbub:{lobby}:connections"]), "1");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dead_do_not_count_even_without_followers() {
    within(async {
        let server = RedisServer::start();
        let truth = Truth::start().await;
        let (one, two) = truth.two_replicas(&server.url()).await;
        truth.forget_replicas();
        let lobby = RoomSlug::lobby();
        two.enter(&lobby, &person("Bob"), &connection("b")).await.unwrap();
        drop(two);
        let begun = Instant::now();
        let empty = async || one.counts(std::slice::from_ref(&lobby)).await.unwrap() == [0];
        until("the count is right", FORGOTTEN, empty).await;
        assert!(
            begun.elapsed() > Duration::from_secs(5),
            "the lease is still valid for a while"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_replica_knows_and_forgets_occupied_rooms() {
    within(async {
        let server = RedisServer::start();
        let truth = Truth::start().await;
        let (one, two) = truth.two_replicas(&server.url()).await;
        truth.forget_replicas();
        let lobby = RoomSlug::lobby();
        two.enter(&lobby, &person("Bob"), &connection("b")).await.unwrap();
        let known = async || one.occupied(10).await.unwrap() == [lobby.clone()];
        until("the other replica's room is known", FORGOTTEN, known).await;
        drop(two);
        let forgotten = async || one.occupied(10).await.unwrap().is_empty();
        until("the room is forgotten", FORGOTTEN, forgotten).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_people_of_a_replica_that_closes_leave_at_once() {
    within(async {
        let server = RedisServer::start();
        let truth = Truth::start().await;
        let (one, two) = truth.two_replicas(&server.url()).await;
        truth.forget_replicas();
        let lobby = RoomSlug::lobby();
        two.enter(&lobby, &person("Bob"), &connection("b")).await.unwrap();
        two.close().await;
        assert_eq!(one.here().await, Vec::<String>::new());
        for gone in ["connections", "people", "names", "leases", "digests"] {
            let key = format!("hubbub:{{lobby}}:{gone}");
            assert_eq!(server.cli(&["exists", &key]), "0", "{key}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_people_of_a_replica_that_was_cut_off_come_back() {
    within(async {
        let server = RedisServer::start();
        let proxy = Proxy::before(&server.address()).await;
        let truth = Truth::start().await;
        let one = truth.replica(&server.url()).await;
        let two = truth.replica(&format!("redis://{}", proxy.address())).await;
        let lobby = RoomSlug::lobby();
        let mut changes = Presence::follow(&*one, &lobby).await.unwrap();
        two.enter(&lobby, &person("Bob"), &connection("b")).await.unwrap();
        assert_eq!(
            next(&mut changes, FORGOTTEN).await,
            PresenceChange::Entered(person("Bob"), 1)
        );
        proxy.hold();
        assert_eq!(
            next(&mut changes, FORGOTTEN).await,
            PresenceChange::Left(person("Bob"), 0)
        );
        proxy.pass();
        let back = next(&mut changes, Duration::from_secs(5)).await;
        assert_eq!(back, PresenceChange::Entered(person("Bob"), 1));
        assert_eq!(two.here().await, ["Bob"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_forgotten_by_redis_come_back() {
    within(async {
        let server = RedisServer::start();
        let redis = Truth::start().await.replica(&server.url()).await;
        let lobby = RoomSlug::lobby();
        let mut changes = Presence::follow(&*redis, &lobby).await.unwrap();
        for (here, name) in (1..).zip(["Ada", "Bob"]) {
            redis
                .enter(&lobby, &person(name), &connection(name))
                .await
                .unwrap();
            let entered = PresenceChange::Entered(person(name), here);
            assert_eq!(next(&mut changes, FORGOTTEN).await, entered);
        }
        server.cli(&["flushall"]);
        let everybody = async || redis.here().await == ["Ada", "Bob"];
        until("all are back", Duration::from_secs(5), everybody).await;
        assert_eq!(
            next(&mut changes, Duration::from_secs(5)).await,
            PresenceChange::Unsure
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn late_commands_leave_no_ghosts() {
    within(async {
        let server = RedisServer::start();
        let proxy = Proxy::before(&server.address()).await;
        let truth = Truth::start().await;
        let one = truth.replica(&server.url()).await;
        let two = truth.replica(&format!("redis://{}", proxy.address())).await;
        let lobby = RoomSlug::lobby();
        two.enter(&lobby, &person("Bob"), &connection("b")).await.unwrap();
        proxy.hold();
        // None gets an answer. All reach Redis after the callers have gone on without it.
        two.enter(&lobby, &person("Eve"), &connection("e")).await.unwrap();
        two.leave(&lobby, &person("Eve").id, &connection("e"))
            .await
            .unwrap();
        two.leave(&lobby, &person("Bob").id, &connection("b"))
            .await
            .unwrap();
        two.enter(&lobby, &person("Zoe"), &connection("z")).await.unwrap();
        proxy.pass();
        let settled = async || one.here().await == ["Zoe"];
        until("only Zoe is here", Duration::from_secs(10), settled).await;
        // It stays that way.
        sleep(Duration::from_secs(4)).await;
        assert!(settled().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_whose_message_was_lost_is_noticed() {
    within(async {
        let server = RedisServer::start();
        let redis = Truth::start().await.replica(&server.url()).await;
        let lobby = RoomSlug::lobby();
        let mut changes = Presence::follow(&*redis, &lobby).await.unwrap();
        redis
            .enter(&lobby, &person("Eve"), &connection("e"))
            .await
            .unwrap();
        assert_eq!(
            next(&mut changes, FORGOTTEN).await,
            PresenceChange::Entered(person("Eve"), 1)
        );
        // Count a change without publishing it.
        server.cli(&["incr", "hubbub:{lobby}:version"]);
        assert_eq!(
            next(&mut changes, Duration::from_secs(5)).await,
            PresenceChange::Unsure
        );
        server.cli(&["incr", "hubbub:{lobby}:version"]);
        redis
            .enter(&lobby, &person("Ada"), &connection("a"))
            .await
            .unwrap();
        assert_eq!(
            next(&mut changes, Duration::from_secs(5)).await,
            PresenceChange::Unsure
        );
        assert_eq!(
            next(&mut changes, FORGOTTEN).await,
            PresenceChange::Entered(person("Ada"), 2)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_roster_is_right_after_any_fault() {
    within(async {
        let server = RedisServer::start();
        let truth = Truth::start().await;
        let mut replicas = Vec::new();
        for _ in 0..3 {
            replicas.push(truth.replica(&server.url()).await);
        }
        let lobby = RoomSlug::lobby();
        let people = replicas.iter().enumerate().flat_map(|(r, redis)| {
            let lobby = &lobby;
            (0..10).map(move |n| async move {
                // Half of the people are on every replica, with two tabs each.
                let who = person(&if n < 5 {
                    format!("Everywhere-{n}")
                } else {
                    format!("Person-{r}-{n}")
                });
                let stays = n % 2 == 0;
                for round in 0..150 {
                    let tab = connection(&format!("tab-{}", round % 2));
                    redis.enter(lobby, &who, &tab).await.unwrap();
                    sleep(Duration::from_millis(5)).await;
                    if round < 149 || !stays {
                        redis.leave(lobby, &who.id, &tab).await.unwrap();
                    }
                }
                stays.then_some(String::from(who.name))
            })
        });
        let faults = async {
            for n in 0..6 {
                sleep(Duration::from_millis(100)).await;
                if n == 3 {
                    server.stop();
                    sleep(Duration::from_secs(3)).await;
                    server.go_on();
                } else {
                    server.cli(&["client", "kill", "type", "normal", "skipme", "yes"]);
                }
            }
        };
        let (people, ()) = futures::join!(futures::future::join_all(people), faults);
        let mut expected: Vec<_> = people.into_iter().flatten().collect();
        expected.sort_by_key(|name| name.to_lowercase());
        expected.dedup();
        let right = async || replicas[0].here().await == expected;
        until("the roster is right", FORGOTTEN, right).await;
        // Closing all replicas leaves nothing behind.
        for redis in &replicas {
            redis.close().await;
        }
        for gone in ["connections", "people", "names", "leases", "digests"] {
            let key = format!("hubbub:{{lobby}}:{gone}");
            assert_eq!(server.cli(&["exists", &key]), "0", "{key}");
        }
    })
    .await;
}
