//! A process that runs alone has the database for itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use backend::{Local, OpenPostgresError, Postgres, Sharing};
use chat::ports::RoomLog;
use protocol::Timestamp;
use testkit::sample::{append, deeds, messages, person};
use testkit::{PostgresServer, until, within};

use crate::support::{lobby, log};

async fn open(url: &str, sharing: Sharing) -> Result<Postgres, OpenPostgresError> {
    Postgres::open(url, Arc::new(Local::default()), sharing).await
}

const IN_TIME: Duration = Duration::from_secs(10);
/// What the writer's connection locks.
const KEY: &str = "1215652450, hashtext('public')";

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_is_refused() {
    within(async {
        let server = PostgresServer::shared();
        let url = server.url(&server.database());
        let first = open(&url, Sharing::Alone).await.unwrap();
        for sharing in [Sharing::Alone, Sharing::Replicas] {
            let Err(error) = open(&url, sharing).await else {
                panic!("{sharing:?}")
            };
            assert!(error.to_string().contains("HUBBUB_REDIS_URL"), "{error}");
        }
        first.close().await;
        let replica = open(&url, Sharing::Replicas).await.unwrap();
        open(&url, Sharing::Replicas).await.unwrap();
        let refused = open(&url, Sharing::Alone).await;
        assert!(matches!(refused, Err(OpenPostgresError::InUse { .. })));
        drop(replica);
        open(&url, Sharing::Alone).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_hold_is_taken_again() {
    within(async {
        let server = PostgresServer::shared();
        let database = server.database();
        let url = server.url(&database);
        let postgres = open(&url, Sharing::Alone).await.unwrap();
        let room = lobby(&postgres).await;
        let holder = "SELECT pid FROM pg_locks JOIN pg_database ON oid = database \
            WHERE locktype = 'advisory' AND datname = current_database()";
        for n in 1..=3 {
            let before = server.sql(&database, holder);
            server.sql(&database, &format!("SELECT pg_terminate_backend({before})"));
            let again = async || !["", &before].contains(&&*server.sql(&database, holder));
            until("the hold is taken again", IN_TIME, again).await;
            assert_eq!(
                append(
                    &log(&postgres),
                    &room,
                    &person("Ada"),
                    messages(&format!("m{n}"), 1)
                )
                .await,
                [n]
            );
            assert!(open(&url, Sharing::Alone).await.is_err());
        }
        assert_eq!(postgres.vitals().dead(), None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_whose_database_was_taken_stops_writing() {
    within(async {
        let server = PostgresServer::shared();
        let database = server.database();
        let postgres = open(&server.url(&database), Sharing::Alone).await.unwrap();
        let room = lobby(&postgres).await;
        append(&log(&postgres), &room, &person("Ada"), messages("m", 1)).await;
        // Another process waits for the lock, so it has it as soon as the connection is lost.
        let mut other = server.session(
            &database,
            &format!("SELECT pg_advisory_lock({KEY}), pg_sleep(60)"),
        );
        // Of this database: other tests have theirs on the same server.
        let locks = "FROM pg_locks JOIN pg_database ON oid = database \
            WHERE locktype = 'advisory' AND datname = current_database()";
        let waiting = format!("SELECT count(*) {locks} AND NOT granted");
        let waits = async || server.sql(&database, &waiting) == "1";
        until("the other process waits", IN_TIME, waits).await;
        server.sql(
            &database,
            &format!("SELECT pg_terminate_backend(pid) {locks} AND granted"),
        );
        assert_eq!(postgres.vitals().death().await, "hold on the database");
        let late = postgres
            .append(&room, &person("Ada"), deeds(messages("late", 1)), Timestamp(1))
            .await;
        assert!(late.is_err());
        assert!(postgres.check().await.is_err(), "not ready");
        assert_eq!(server.sql(&database, "SELECT count(*) FROM events"), "1");
        other.kill().unwrap();
        other.wait().unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_server_that_is_slow_is_not_looked_for() {
    within(async {
        let server = PostgresServer::with(&["fsync=off", "log_connections=on"]);
        let database = server.database();
        let postgres = open(&server.url(&database), Sharing::Alone).await.unwrap();
        postgres.check().await.unwrap();
        let connections = || server.log().matches("connection authorized: user=hubbub").count();
        let before = connections();
        let sql = "BEGIN; UPDATE hubbub SET checks = checks; SELECT pg_sleep(3)";
        let mut other = server.session(&database, sql);
        let sleeps = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
        let locked = async || server.sql(&database, sleeps) == "1";
        until("the row is locked", IN_TIME, locked).await;
        let begun = Instant::now();
        postgres.check().await.unwrap();
        // Long enough for the suspicion that another server is the primary.
        assert!(
            begun.elapsed() > Duration::from_millis(1_500),
            "{:?}",
            begun.elapsed()
        );
        assert_eq!(connections(), before);
        other.wait().unwrap();
    })
    .await;
}
