//! People of dead replicas disappear, and people of replicas that were only cut off come back.

use std::time::Duration;

use chat::ports::{Presence, PresenceChange};
use futures::StreamExt;
use futures::stream::BoxStream;
use testkit::sample::person;
use testkit::{Proxy, RedisServer, within};
use tokio::time::{Instant, sleep};

use crate::support::{connection, here, lobby, replica, until};

/// The time within which the people of a killed replica must disappear.
const FORGOTTEN: Duration = Duration::from_secs(15);

/// The next change, which must come in time.
async fn next(changes: &mut BoxStream<'static, PresenceChange>, limit: Duration) -> PresenceChange {
    let change = tokio::time::timeout(limit, changes.next()).await;
    change.expect("a change in time").expect("the stream continues")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_people_of_a_replica_that_dies_leave() {
    within(async {
        let server = RedisServer::start();
        let (one, two) = (replica(&server.url()).await, replica(&server.url()).await);
        let lobby = lobby(&one).await;
        let mut changes = one.follow(&lobby).await.unwrap();
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
        assert_eq!(here(&one).await.unwrap(), ["Ada", "Bob"]);
        assert_eq!(
            next(&mut changes, FORGOTTEN).await,
            PresenceChange::Left(person("Bob"), 1)
        );
        assert_eq!(
            here(&one).await.unwrap(),
            ["Ada"],
            "she is still on the first replica"
        );
        assert_eq!(server.cli(&["hlen", "hubbub:{lobby}:connections"]), "1");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dead_do_not_count_even_without_followers() {
    within(async {
        let server = RedisServer::start();
        let (one, two) = (replica(&server.url()).await, replica(&server.url()).await);
        let lobby = lobby(&one).await;
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
        let (one, two) = (replica(&server.url()).await, replica(&server.url()).await);
        let lobby = lobby(&one).await;
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
        let (one, two) = (replica(&server.url()).await, replica(&server.url()).await);
        let lobby = lobby(&one).await;
        two.enter(&lobby, &person("Bob"), &connection("b")).await.unwrap();
        two.close().await;
        assert_eq!(here(&one).await.unwrap(), Vec::<String>::new());
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
        let one = replica(&server.url()).await;
        let two = replica(&format!("redis://{}", proxy.address())).await;
        let lobby = lobby(&one).await;
        let mut changes = one.follow(&lobby).await.unwrap();
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
        assert_eq!(here(&two).await.unwrap(), ["Bob"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_forgotten_by_redis_come_back() {
    within(async {
        let server = RedisServer::start();
        let redis = replica(&server.url()).await;
        let lobby = lobby(&redis).await;
        redis
            .enter(&lobby, &person("Ada"), &connection("a"))
            .await
            .unwrap();
        redis
            .enter(&lobby, &person("Bob"), &connection("b"))
            .await
            .unwrap();
        let mut changes = redis.follow(&lobby).await.unwrap();
        server.cli(&["flushall"]);
        let everybody = async || here(&redis).await.unwrap() == ["Ada", "Bob"];
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
        let one = replica(&server.url()).await;
        let two = replica(&format!("redis://{}", proxy.address())).await;
        let lobby = lobby(&one).await;
        two.enter(&lobby, &person("Bob"), &connection("b")).await.unwrap();
        proxy.hold();
        // Neither gets an answer. Both reach Redis after the callers have given up.
        assert!(two.enter(&lobby, &person("Eve"), &connection("e")).await.is_err());
        assert!(
            two.leave(&lobby, &person("Bob").id, &connection("b"))
                .await
                .is_err()
        );
        two.enter(&lobby, &person("Zoe"), &connection("z"))
            .await
            .unwrap_err();
        proxy.pass();
        let entering = async || two.enter(&lobby, &person("Zoe"), &connection("z")).await.is_ok();
        until("Redis answers again", Duration::from_secs(3), entering).await;
        let settled = async || here(&one).await.unwrap() == ["Zoe"];
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
        let redis = replica(&server.url()).await;
        let lobby = lobby(&redis).await;
        let mut changes = redis.follow(&lobby).await.unwrap();
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
            PresenceChange::Entered(person("Ada"), 1)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_roster_is_right_after_any_fault() {
    within(async {
        let server = RedisServer::start();
        let mut replicas = Vec::new();
        for _ in 0..3 {
            replicas.push(replica(&server.url()).await);
        }
        let lobby = lobby(&replicas[0]).await;
        let people = replicas.iter().enumerate().flat_map(|(r, redis)| {
            let lobby = &lobby;
            (0..10).map(move |n| async move {
                // Half of the people are on every replica, with two tabs each.
                let who = person(&if n < 5 {
                    format!("Everywhere-{n}")
                } else {
                    format!("Person-{r}-{n}")
                });
                let mut here = false;
                for round in 0..150 {
                    let tab = connection(&format!("tab-{}", round % 2));
                    here = redis.enter(lobby, &who, &tab).await.is_ok();
                    sleep(Duration::from_millis(5)).await;
                    let stays = round == 149 && n % 2 == 0;
                    if !stays {
                        // The person is gone, whether or not Redis confirms it.
                        let _ = redis.leave(lobby, &who.id, &tab).await;
                        here = false;
                    }
                }
                here.then_some(String::from(who.name))
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
        let right = async || here(&replicas[0]).await.is_some_and(|here| here == expected);
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
