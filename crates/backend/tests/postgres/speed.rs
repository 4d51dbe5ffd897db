//! How many appends one replica stores per second. Run by hand, on a machine that does nothing else:
//! `cargo test --release -p backend --test postgres speed -- --ignored --nocapture`

use std::time::{Duration, Instant};

use chat::ports::RoomLog;
use protocol::{RoomSlug, Timestamp};
use testkit::PostgresServer;
use testkit::sample::{message, person};

use crate::support::{lobby, replica};

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
                            .append(&lobby, &author, sent, Timestamp(1))
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
