//! Settings of a server that differ from the default.

use std::time::Duration;

use backend::Postgres;
use chat::ports::{Directory, RoomLog};
use protocol::Timestamp;
use testkit::sample::{deeds, messages, person, room};
use testkit::{PostgresServer, until, within};
use tokio::time::sleep;

use crate::support::{lobby, replica};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_stricter_isolation_refuses_nothing() {
    within(async {
        let server = PostgresServer::shared();
        let database = server.database();
        let strict = "default_transaction_isolation = 'serializable'";
        server.sql("postgres", &format!("ALTER DATABASE {database} SET {strict}"));
        let url = server.url(&database);
        let (one, two) = (replica(&url).await, replica(&url).await);
        let room = lobby(&one).await;
        for n in 0..50 {
            let write = async |replica: &Postgres, author: &str| {
                let (author, sent) = (person(author), deeds(messages(&format!("m{n}"), 1)));
                let stored = replica.append(&room, &author, sent, Timestamp(1)).await;
                stored.expect("it is stored");
                replica.check().await.expect("it is ready");
            };
            tokio::join!(write(&one, "Ada"), write(&two, "Bob"));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_stay_open_where_idle_ones_are_closed() {
    within(async {
        let server = PostgresServer::shared();
        let database = server.database();
        let idle = "idle_session_timeout = '50ms'";
        server.sql("postgres", &format!("ALTER DATABASE {database} SET {idle}"));
        let one = replica(&server.url(&database)).await;
        lobby(&one).await;
        let open = format!("SELECT pid FROM pg_stat_activity WHERE datname = '{database}' ORDER BY pid");
        let before = server.sql("postgres", &open);
        sleep(Duration::from_millis(500)).await;
        assert_eq!(server.sql("postgres", &open), before);
    })
    .await;
}
