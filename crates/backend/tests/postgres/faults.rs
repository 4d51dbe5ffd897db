//! PostgreSQL ends, and comes back: nothing acknowledged is lost, nothing is stored twice, and followers go on by
//! themselves.

use std::time::{Duration, Instant};

use chat::StoreError;
use chat::ports::RoomLog;
use futures::future::join_all;
use protocol::{Outgoing, RoomSlug, Timestamp};
use testkit::sample::{deeds, message, messages, person};
use testkit::{PostgresServer, Proxy, assert_kept, until, within};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::support::{Follower, Writers, lobby, log, replica};

/// The time within which events must arrive after PostgreSQL accepts connections again, on a machine that does much else. How
/// long it takes on a quiet one is in the fault matrix.
const FLOWS: Duration = Duration::from_secs(15);
/// How long people write before and after a fault.
const WHILE: Duration = Duration::from_millis(700);

/// PostgreSQL ends under load, twice, and starts again with its data.
async fn ends_and_starts_again(end: impl Fn(&mut PostgresServer)) {
    let mut server = PostgresServer::with(&[]);
    let url = server.url(&server.database());
    let (one, two) = (replica(&url).await, replica(&url).await);
    lobby(&one).await;
    let follower = Follower::start(&one).await;
    let writers = Writers::start(&[&one, &two], 4);
    for away in [Duration::ZERO, 2 * WHILE] {
        sleep(WHILE).await;
        end(&mut server);
        sleep(away).await;
        if !away.is_zero() {
            let begun = Instant::now();
            assert!(matches!(
                one.head(&RoomSlug::lobby()).await,
                Err(StoreError::Failed(_))
            ));
            assert!(two.check().await.is_err(), "not ready");
            assert!(begun.elapsed() < WHILE, "calls fail at once after a while");
        }
        server.restart();
        let before = follower.last();
        let heard = async || follower.last() > before;
        until("events arrive again", FLOWS, heard).await;
        one.check().await.expect("ready again");
    }
    sleep(WHILE).await;
    let receipts = writers.stop().await;
    assert!(receipts.len() > 100, "{}", receipts.len());
    assert_kept(&log(&two), &receipts).await;
    follower.assert_heard_all(&one).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_loses_nothing() {
    within(ends_and_starts_again(PostgresServer::terminate)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_loses_nothing() {
    within(ends_and_starts_again(PostgresServer::kill)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_silent_for_ten_seconds_loses_nothing() {
    within(async {
        let server = PostgresServer::start();
        let url = server.url(&server.database());
        let (one, two) = (replica(&url).await, replica(&url).await);
        lobby(&one).await;
        let follower = Follower::start(&one).await;
        let writers = Writers::start(&[&one, &two], 4);
        sleep(WHILE).await;
        server.stop();
        sleep(Duration::from_secs(10)).await;
        let before = follower.last();
        server.go_on();
        let heard = async || follower.last() > before;
        until("events arrive again", FLOWS, heard).await;
        sleep(WHILE).await;
        assert_kept(&log(&two), &writers.stop().await).await;
        follower.assert_heard_all(&one).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_fails_loses_nothing() {
    within(async {
        let server = PostgresServer::shared();
        let database = server.database();
        let direct = server.url(&database);
        let proxy = Proxy::before(&server.address()).await;
        let through = direct.replace(&server.address(), &proxy.address());
        let (one, two) = (replica(&through).await, replica(&direct).await);
        lobby(&one).await;
        let follower = Follower::start(&one).await;
        let writers = Writers::start(&[&one], 8);
        for fail in [Proxy::cut, Proxy::hold] {
            sleep(WHILE).await;
            fail(&proxy);
            sleep(4 * WHILE).await;
            proxy.pass();
            let before = follower.last();
            let heard = async || follower.last() > before;
            until("events arrive again", FLOWS, heard).await;
        }
        sleep(WHILE).await;
        assert_kept(&log(&two), &writers.stop().await).await;
        follower.assert_heard_all(&one).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_says_so_at_once_and_loses_nothing() {
    within(async {
        let server = PostgresServer::start();
        let one = replica(&server.url(&server.database())).await;
        lobby(&one).await;
        // Many small ones reach the number that may wait; fewer large ones reach the bytes.
        for (count, length, least) in [(6_000, 10, 1_000), (3_000, 30_000, 100)] {
            let text = message("m", &"𝔛".repeat(length / 4)).text;
            let sent = (0..count).map(|n| Outgoing {
                client_id: message(&format!("{length}-{n}"), "-").client_id,
                text: text.clone(),
                reply_to: None,
                epoch: None,
            });
            let sent: Vec<_> = sent.collect();
            server.stop();
            let sending = sent.into_iter().map(|sent| {
                let one = one.clone();
                tokio::spawn(async move {
                    let sent = deeds(vec![sent]);
                    let begun = Instant::now();
                    let stored = one
                        .append(&RoomSlug::lobby(), &person("Ada"), sent, Timestamp(1))
                        .await;
                    (stored, begun.elapsed())
                })
            });
            let sending: Vec<_> = sending.collect();
            let refused = async || sending.iter().any(JoinHandle::is_finished);
            until("the queue is full", 4 * FLOWS, refused).await;
            server.go_on();
            let (mut stored, mut busy) = (Vec::new(), 0);
            for sent in sending {
                match sent.await.unwrap() {
                    (Ok(receipts), _) => stored.extend(receipts),
                    (Err(StoreError::Busy), took) => {
                        assert!(took < WHILE, "{took:?}");
                        busy += 1;
                    }
                    // A slow machine may not store them all within the time that callers wait.
                    (Err(StoreError::Failed(_)), took) => assert!(took > 4 * WHILE, "{took:?}"),
                    (Err(error), _) => panic!("{error}"),
                }
            }
            assert!(busy > 0 && stored.len() > least, "{busy} {}", stored.len());
            assert_kept(&log(&one), &stored).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_stored_without_an_answer_is_told() {
    within(async {
        let server = PostgresServer::start();
        let database = server.database();
        let one = replica(&server.url(&database)).await;
        lobby(&one).await;
        let follower = Follower::start(&one).await;
        // Commits wait for a standby that does not exist, after they are on the disk.
        server.sql(
            "postgres",
            "ALTER SYSTEM SET synchronous_standby_names = 'nobody'",
        );
        server.sql("postgres", "SELECT pg_reload_conf()");
        let stuck = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        // The setting takes effect some time after the reload: the first commits may not wait.
        let mut receipts = Vec::new();
        let sending = loop {
            let sending = tokio::spawn({
                let (one, prefix) = (one.clone(), format!("m{}", receipts.len()));
                async move {
                    let lobby = RoomSlug::lobby();
                    one.append(&lobby, &person("Ada"), deeds(messages(&prefix, 2)), Timestamp(7))
                        .await
                }
            });
            let over = async || sending.is_finished() || !server.sql("postgres", stuck).is_empty();
            until("the commit waits or is over", FLOWS, over).await;
            if !sending.is_finished() {
                break sending;
            }
            receipts.extend(sending.await.unwrap().unwrap());
        };
        server.sql("postgres", &format!("SELECT pg_terminate_backend(({stuck}))"));
        server.sql("postgres", "ALTER SYSTEM RESET synchronous_standby_names");
        server.sql("postgres", "SELECT pg_reload_conf()");
        let waited = sending.await.unwrap().unwrap();
        assert_eq!(waited.len(), 2);
        receipts.extend(waited);
        let stored = receipts.len();
        let heard = async || follower.last() == stored as u64;
        until("the follower hears of it", FLOWS, heard).await;
        assert_kept(&log(&one), &receipts).await;
        assert_eq!(
            server.sql(&database, "SELECT count(*), min(at) FROM events"),
            format!("{stored}|7")
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_goes_on_while_commits_wait_for_a_standby() {
    within(async {
        let server = PostgresServer::start();
        let one = replica(&server.url(&server.database())).await;
        lobby(&one).await;
        server.sql(
            "postgres",
            "ALTER SYSTEM SET synchronous_standby_names = 'nobody'",
        );
        server.sql("postgres", "SELECT pg_reload_conf()");
        // As `/readyz` does: it does not wait for the end.
        let waits = async || timeout(WHILE, one.check()).await.is_err();
        // The setting takes effect some time after the reload.
        until("commits wait", FLOWS, waits).await;
        let (checks, mut heads) = ((0..8).map(|_| one.check()), Vec::new());
        let checking = timeout(WHILE, join_all(checks));
        let reading = async {
            for _ in 0..20 {
                heads.push(one.head(&RoomSlug::lobby()).await);
            }
        };
        let (checked, ()) = tokio::join!(checking, reading);
        assert!(checked.is_err(), "commits wait");
        // Behind a commit that waits, they would be given up after five seconds.
        heads.push(one.head(&RoomSlug::lobby()).await);
        assert!(heads.iter().all(Result::is_ok), "{heads:?}");
        server.sql("postgres", "ALTER SYSTEM RESET synchronous_standby_names");
        server.sql("postgres", "SELECT pg_reload_conf()");
        let ready = async || one.check().await.is_ok();
        until("ready again", FLOWS, ready).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_waits_for_does_not_pile_up() {
    within(async {
        let server = PostgresServer::with(&["fsync=off", "log_statement=all"]);
        let database = server.database();
        let one = replica(&server.url(&database)).await;
        lobby(&one).await;
        let patience = Duration::from_millis(50);
        let reading = |_| {
            let one = one.clone();
            tokio::spawn(async move { timeout(patience, one.head(&RoomSlug::lobby())).await.is_ok() })
        };
        let checking = |_| {
            let one = one.clone();
            tokio::spawn(async move { timeout(patience, one.check()).await.is_ok() })
        };
        let reads = || server.log().matches("SELECT epoch, head FROM rooms").count();
        let checks = || server.sql(&database, "SELECT checks FROM hubbub");
        let checks = || checks().parse::<usize>().expect("a number");
        // All connections are open, and everything is prepared.
        let room = RoomSlug::lobby();
        join_all((0..20).map(|_| one.head(&room))).await;
        join_all((0..20).map(|_| one.check())).await;
        let (read, checked) = (reads(), checks());
        server.stop();
        for _ in 0..4 {
            join_all((0..500).map(reading).chain((0..500).map(checking))).await;
        }
        let begun = Instant::now();
        let busy = one.head(&RoomSlug::lobby()).await;
        let took = begun.elapsed();
        server.go_on();
        let ready = async || one.check().await.is_ok() && one.head(&RoomSlug::lobby()).await.is_ok();
        until("ready again", FLOWS, ready).await;
        let (read, checked) = (reads() - read, checks() - checked);
        assert!(read < 600 && checked < 200, "carried out: {read}, {checked}");
        assert!(matches!(busy, Err(StoreError::Busy)), "{busy:?}");
        assert!(took < 10 * WHILE, "{took:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_disk_is_full_is_not_ready() {
    within(async {
        let server = PostgresServer::shared();
        let database = server.database();
        let one = replica(&server.url(&database)).await;
        lobby(&one).await;
        // As PostgreSQL says it when a table cannot grow. A counter in a page that exists can still be raised.
        server.sql(
            &database,
            "CREATE FUNCTION no_space() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full';
             END $$;
             CREATE TRIGGER no_space BEFORE INSERT ON events EXECUTE FUNCTION no_space()",
        );
        let send = async || {
            let sent = deeds(messages("m", 1));
            one.append(&RoomSlug::lobby(), &person("Ada"), sent, Timestamp(1))
                .await
        };
        one.check().await.expect("nobody has noticed");
        assert!(matches!(send().await, Err(StoreError::Failed(_))));
        let said = one.check().await.expect_err("not ready").to_string();
        assert!(said.contains("could not extend file"), "{said}");
        one.head(&RoomSlug::lobby()).await.expect("reading goes on");
        server.sql(&database, "DROP TRIGGER no_space ON events");
        send().await.expect("it is stored");
        one.check().await.expect("ready again");
    })
    .await;
}
