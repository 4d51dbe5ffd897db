//! Replicas, writers and followers for the tests in this folder.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use backend::{Local, Postgres, RandomIds, Sharing, SystemClock};
use chat::hub::Ports;
use chat::ports::{Directory, RoomLog};
use chat::{Hub, RoomUpdate, StoreError};
use futures::StreamExt;
use protocol::{Receipt, RoomSlug, Timestamp};
use testkit::sample::{deeds, message, person, room};
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// Opens a database as one of several replicas. Each has a bus of its own, as if Redis were away: what another stores
/// arrives with the next event.
pub async fn replica(url: &str) -> Postgres {
    let opened = Postgres::open(url, Arc::new(Local::default()), Sharing::Replicas).await;
    opened.unwrap_or_else(|error| panic!("the database can be opened: {error}"))
}

/// Creates the lobby.
pub async fn lobby(postgres: &Postgres) -> RoomSlug {
    let lobby = room(1, "lobby", "Lobby");
    let created = Directory::create(postgres, &lobby).await;
    created.expect("the room is created");
    lobby.slug
}

/// A replica's log, as `testkit::sample` needs it.
pub fn log(postgres: &Postgres) -> Arc<dyn RoomLog> {
    Arc::new(postgres.clone())
}

/// Sends a message to the lobby until it is stored, like a client.
pub async fn send(postgres: &Postgres, author: &protocol::Person, sent: protocol::Outgoing) -> Receipt {
    loop {
        let begun = Instant::now();
        let lobby = RoomSlug::lobby();
        let stored = postgres
            .append(&lobby, author, deeds(vec![sent.clone()]), Timestamp(1))
            .await;
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(7), "an append took {took:?}");
        match stored {
            Ok(mut receipts) => return receipts.remove(0),
            Err(StoreError::Failed(_)) => sleep(Duration::from_millis(20)).await,
            Err(error) => panic!("expected a receipt or a failure, not {error}"),
        }
    }
}

/// People who send one message after another, each until it is stored.
pub struct Writers {
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<Vec<Receipt>>>,
}

impl Writers {
    /// Starts `each` people on each replica.
    pub fn start(replicas: &[&Postgres], each: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let people = replicas.iter().enumerate().flat_map(|(n, replica)| {
            (0..each).map(move |m| ((*replica).clone(), person(&format!("Author-{n}-{m}"))))
        });
        let tasks = people.map(|(postgres, author)| {
            let stop = Arc::clone(&stop);
            tokio::spawn(async move {
                let mut receipts = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let sent = message(&format!("m-{}", receipts.len()), "hello");
                    receipts.push(send(&postgres, &author, sent).await);
                    // Without a pause, followers on two busy cores could not keep up.
                    sleep(Duration::from_millis(2)).await;
                }
                receipts
            })
        });
        Self {
            tasks: tasks.collect(),
            stop,
        }
    }

    /// Stops the writers. Returns all receipts.
    pub async fn stop(self) -> Vec<Receipt> {
        self.stop.store(true, Ordering::Relaxed);
        let mut receipts = Vec::new();
        for task in self.tasks {
            receipts.extend(task.await.expect("the writer does not panic"));
        }
        receipts
    }
}

/// Follows the lobby, like the server: after a loss, from the last event.
pub struct Follower {
    task: JoinHandle<Vec<u64>>,
    last: Arc<AtomicU64>,
}

impl Follower {
    /// Follows until an event by `Last` arrives.
    pub async fn start(postgres: &Postgres) -> Self {
        let truth = Arc::new(postgres.clone());
        let ports = Ports {
            log: truth.clone(),
            directory: truth.clone(),
            accounts: truth,
            presence: Arc::new(testkit::Silent),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
        };
        let hub = Hub::open(ports).await.expect("the hub opens");
        let followed = hub.follow(&RoomSlug::lobby(), None).await;
        let followed = followed.expect("the lobby can be followed");
        let (mut head, mut updates) = (followed.head, followed.updates);
        let last = Arc::new(AtomicU64::new(0));
        let latest = Arc::clone(&last);
        let task = tokio::spawn(async move {
            let mut seqs = Vec::new();
            loop {
                match updates.next().await {
                    Some(RoomUpdate::Events(events)) => {
                        for event in events {
                            head.seq = event.event.seq;
                            seqs.push(head.seq.get());
                            latest.store(head.seq.get(), Ordering::Relaxed);
                            if event.by == person("Last") {
                                return seqs;
                            }
                        }
                    }
                    Some(RoomUpdate::Presence(_) | RoomUpdate::Roster(_)) => {}
                    Some(RoomUpdate::Reset(head)) => panic!("too much was missed before {head:?}"),
                    Some(RoomUpdate::Lost(_)) | None => loop {
                        match hub.follow(&RoomSlug::lobby(), Some(head.clone())).await {
                            Ok(followed) => {
                                updates = followed.updates;
                                break;
                            }
                            Err(_) => sleep(Duration::from_millis(50)).await,
                        }
                    },
                }
            }
        });
        Self { task, last }
    }

    /// The latest seq that arrived.
    pub fn last(&self) -> u64 {
        self.last.load(Ordering::Relaxed)
    }

    /// Sends a message by `Last`, and checks that every event arrived once, in order.
    pub async fn assert_heard_all(self, postgres: &Postgres) {
        let last = send(postgres, &person("Last"), message("last", "good night")).await;
        let seqs = self.task.await.expect("the follower does not panic");
        let expected: Vec<_> = (1..=last.seq.get()).collect();
        assert!(
            seqs == expected,
            "all events once, in order: {} of {}",
            seqs.len(),
            expected.len()
        );
    }
}
