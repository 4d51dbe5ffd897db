//! Settings of a server that differ from the default.

use std::time::Duration;

use chat::ports::Directory;
use testkit::sample::room;
use testkit::{PostgresServer, until, within};

use crate::support::replica;

/// The time within which PostgreSQL is found again, on a machine that does much else.
const BACK: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_outside_of_rooms_survives_a_crash() {
    within(async {
        let mut server = PostgresServer::with(&["synchronous_commit=off", "wal_writer_delay=10s"]);
        let one = replica(&server.url(&server.database())).await;
        for n in 0..2 {
            let room = room(n, &format!("room-{n}"), &format!("Room {n}"));
            let created = Directory::create(&one, &room).await;
            created.expect("it is created");
            server.kill();
            server.restart();
            let mut found = None;
            let answered = async || {
                found = one.room(&room.slug).await.ok();
                found.is_some()
            };
            until("PostgreSQL answers", BACK, answered).await;
            assert_eq!(found, Some(Some(room)));
        }
    })
    .await;
}
