//! The primary is lost for good, and its synchronous standby takes over.

use std::sync::Arc;
use std::time::Duration;

use backend::{Local, OpenPostgresError, Postgres, Sharing};
use chat::ports::RoomLog;
use testkit::postgres_server::url;
use testkit::{PostgresServer, assert_kept, until, within};
use tokio::time::sleep;

use crate::support::{Follower, Writers, lobby, log, replica};

/// The time within which events must arrive after the standby has become the primary, on a machine that does much else. How
/// long it takes on a quiet one is in the fault matrix.
const FLOWS: Duration = Duration::from_secs(15);
const WHILE: Duration = Duration::from_millis(700);

async fn taken_over(lose: impl Fn(&mut PostgresServer)) {
    let mut primary = PostgresServer::with(&[]);
    let database = primary.database();
    let first = replica(&primary.url(&database)).await;
    lobby(&first).await;
    first.close().await;
    let standby = primary.synchronous_standby();
    // The standby alone is no place to write.
    let refused = Postgres::open(
        &standby.url(&database),
        Arc::new(Local::default()),
        Sharing::Replicas,
    )
    .await;
    assert!(matches!(refused, Err(OpenPostgresError::ReadOnly { .. })));

    let both = url(&[&standby.address(), &primary.address()], &database);
    let (one, two) = (replica(&both).await, replica(&both).await);
    let follower = Follower::start(&one).await;
    let writers = Writers::start(&[&one, &two], 4);
    sleep(WHILE).await;
    lose(&mut primary);
    sleep(WHILE).await;
    standby.promote();
    let before = follower.last();
    let heard = async || follower.last() > before;
    until("events arrive from the new primary", 4 * FLOWS, heard).await;
    sleep(WHILE).await;
    // The old primary comes back and takes writes, too: nobody goes back to it.
    primary.go_on();
    sleep(WHILE).await;
    let receipts = writers.stop().await;
    assert!(receipts.len() > 100, "{}", receipts.len());
    assert_kept(&log(&two), &receipts).await;
    follower.assert_heard_all(&one).await;
    let count = standby.sql(&database, "SELECT head FROM rooms");
    assert!(count.parse::<usize>().expect("a number") > receipts.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_killed_for_good_loses_nothing_acknowledged() {
    within(taken_over(PostgresServer::kill)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_falls_silent_is_left() {
    within(taken_over(|primary| primary.stop())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_alone_finds_the_new_primary() {
    within(async {
        let primary = PostgresServer::start();
        let database = primary.database();
        let standby = primary.synchronous_standby();
        let both = url(&[&primary.address(), &standby.address()], &database);
        let one = replica(&both).await;
        lobby(&one).await;
        primary.stop();
        standby.promote();
        // As `/readyz` asks: it gives up after two seconds.
        let ready = async || {
            let asked = tokio::time::timeout(Duration::from_secs(2), one.check());
            asked.await.is_ok_and(|checked| checked.is_ok())
        };
        until("ready on the new primary", 4 * FLOWS, ready).await;
        assert_eq!(standby.sql(&database, "SELECT checks > 0 FROM hubbub"), "t");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_read_is_read_from_the_new_primary() {
    within(async {
        let primary = PostgresServer::start();
        let database = primary.database();
        let standby = primary.synchronous_standby();
        let both = url(&[&primary.address(), &standby.address()], &database);
        let one = replica(&both).await;
        let room = lobby(&one).await;
        one.head(&room).await.expect("it is read");
        primary.stop();
        standby.promote();
        // Sent to the old primary, which never answers.
        one.head(&room).await.expect("it is read again");
    })
    .await;
}
