//! What an append costs PostgreSQL, and how many of them one replica stores per second. The measurement is run by hand,
//! on a machine that does nothing else:
//! `cargo test --release -p backend --test postgres speed -- --ignored --nocapture`

use std::time::{Duration, Instant};

use chat::Limit;
use chat::ports::RoomLog;
use protocol::{RoomSlug, Timestamp};
use testkit::sample::{append, deeds, message, messages, person, seq};
use testkit::{PostgresServer, until, within};

use crate::support::{lobby, log, replica};

/// The planner may choose a plan that looks through a whole room for each message, while the room is small. Then all is
/// well until the room has grown.
#[tokio::test(flavor = "multi_thread")]
async fn an_append_does_not_look_through_its_room() {
    within(async {
        let server = PostgresServer::shared();
        let database = server.database();
        let postgres = replica(&server.url(&database)).await;
        let lobby = lobby(&postgres).await;
        for n in 0..30 {
            append(
                &log(&postgres),
                &lobby,
                &person("Ada"),
                messages(&format!("m{n}"), 50),
            )
            .await;
        }
        postgres.read(&lobby, seq(1_490), Limit::of(10)).await.unwrap();
        postgres.messages(&lobby, None, Limit::of(10)).await.unwrap();
        // Statistics arrive when a connection ends.
        postgres.close().await;
        let scans = "SELECT coalesce(sum(idx_scan), 0) FROM pg_stat_user_indexes WHERE relname = 'events'";
        let told = async || server.sql(&database, scans).parse::<u64>().unwrap() > 1_500;
        until("the statistics arrive", Duration::from_secs(20), told).await;
        let read = "SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'events'";
        let read = server.sql(&database, read).parse::<u64>().unwrap();
        assert!(read < 1_500, "{read} entries of indexes were read");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn appends_per_second() {
    for settings in [&["fsync=on"][..], &["fsync=off"]] {
        let server = PostgresServer::with(settings);
        let postgres = replica(&server.url(&server.database())).await;
        lobby(&postgres).await;
        for at_once in [1, 8, 64, 512] {
            let begun = Instant::now();
            let tasks = (0..at_once).map(|task| {
                let postgres = postgres.clone();
                tokio::spawn(async move {
                    let (lobby, author) = (RoomSlug::lobby(), person(&format!("A-{at_once}-{task}")));
                    let mut count = 0;
                    while begun.elapsed() < Duration::from_secs(3) {
                        let sent = vec![message(
                            &format!("m-{count}"),
                            "a message of an ordinary length, or so",
                        )];
                        postgres
                            .append(&lobby, &author, deeds(sent), Timestamp(1))
                            .await
                            .expect("it is stored");
                        count += 1;
                    }
                    count
                })
            });
            let mut count = 0;
            for task in tasks.collect::<Vec<_>>() {
                count += task.await.expect("no panic");
            }
            let rate = f64::from(count) / begun.elapsed().as_secs_f64();
            println!("{settings:?}, {at_once:>3} at once: {rate:.0} appends/s");
        }
    }
}
