//! Replicas share one database.

use std::collections::HashSet;

use chat::Limit;
use chat::ports::{Directory, RoomLog, Signal};
use futures::StreamExt;
use futures::future::join_all;
use protocol::{RoomSlug, Seq, Timestamp};
use testkit::sample::{deeds, message, messages, person, person_with_id, room, slug, whole_log};
use testkit::{PostgresServer, within};

use crate::support::{lobby, log, replica};

#[tokio::test(flavor = "multi_thread")]
async fn eight_replicas_start_together_on_an_empty_database() {
    within(async {
        let server = PostgresServer::shared();
        let url = server.url(&server.database());
        let starting = (0..8).map(|_| {
            let url = url.clone();
            tokio::spawn(async move { replica(&url).await })
        });
        let replicas: Vec<_> = join_all(starting).await.into_iter().map(Result::unwrap).collect();
        lobby(&replicas[0]).await;
        let secrets = replicas.iter().enumerate().map(|(n, replica)| async move {
            replica.check().await.unwrap();
            replica.shared_secret("session", &[n as u8; 32]).await.unwrap()
        });
        let secrets: HashSet<_> = join_all(secrets).await.into_iter().collect();
        assert_eq!(secrets.len(), 1, "all have the same secret");
        // A thousand appends through all of them at once, with every message sent to two.
        let sending = (0..1_000).map(|n| {
            let (one, two) = (replicas[n % 8].clone(), replicas[(n + 3) % 8].clone());
            tokio::spawn(async move {
                let sent = || vec![message(&format!("m-{n}"), "hello")];
                let (lobby, ada) = (RoomSlug::lobby(), person("Ada"));
                let (a, b) = tokio::join!(
                    one.append(&lobby, &ada, deeds(sent()), Timestamp(1)),
                    two.append(&lobby, &ada, deeds(sent()), Timestamp(2)),
                );
                assert_eq!(a.unwrap(), b.unwrap());
            })
        });
        join_all(sending).await.into_iter().for_each(|sent| sent.unwrap());
        assert_eq!(
            whole_log(&log(&replicas[5]), &RoomSlug::lobby()).await.len(),
            1_000
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_write_to_the_same_rooms_do_not_wait_for_each_other() {
    within(async {
        let server = PostgresServer::shared();
        let url = server.url(&server.database());
        let replicas = [replica(&url).await, replica(&url).await, replica(&url).await];
        for n in 0..10 {
            let address = format!("room-{n}");
            Directory::create(&replicas[0], &room(1, &address, &address))
                .await
                .unwrap();
        }
        let sending = (0..600).map(|n| {
            // Each replica meets the rooms in another order.
            let at = [n % 10, 9 - n % 10, (n * 7) % 10][n % 3];
            let (replica, room) = (replicas[n % 3].clone(), slug(&format!("room-{at}")));
            tokio::spawn(async move {
                let sent = messages(&format!("m-{n}"), 5);
                replica
                    .append(&room, &person("Ada"), deeds(sent), Timestamp(1))
                    .await
                    .unwrap()
                    .len()
            })
        });
        let stored: usize = join_all(sending).await.into_iter().map(Result::unwrap).sum();
        let mut heads = 0;
        for n in 0..10 {
            let stretch = replicas[1]
                .read(&slug(&format!("room-{n}")), Seq::ZERO, Limit::of(1_000))
                .await;
            heads += stretch.unwrap().entries.len();
        }
        assert_eq!((stored, heads), (3_000, 3_000));
        let locks = server.log();
        assert!(!locks.contains("deadlock detected"), "{locks}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_replica_stored_is_told_when_its_sender_tries_another() {
    within(async {
        let server = PostgresServer::shared();
        let url = server.url(&server.database());
        let (killed, other) = (replica(&url).await, replica(&url).await);
        let lobby = lobby(&killed).await;
        // The replicas here do not hear each other, so what this one stores reaches nobody.
        let (ada, renamed) = (person("Ada"), person_with_id("ada", "Lovelace"));
        let stored = killed
            .append(&lobby, &ada, deeds(messages("m", 2)), Timestamp(7))
            .await
            .unwrap();
        drop(killed);
        let mut signals = other.follow(&lobby).await.unwrap();
        let again = other
            .append(&lobby, &renamed, deeds(messages("m", 2)), Timestamp(9))
            .await
            .unwrap();
        assert_eq!(again, stored);
        for event in whole_log(&log(&other), &lobby).await {
            assert_eq!((event.event.at, &event.by), (Timestamp(7), &ada));
            match signals.next().await {
                Some(Signal::Event(told)) => assert_eq!(told, event),
                other => panic!("an event, not {other:?}"),
            }
        }
    })
    .await;
}
