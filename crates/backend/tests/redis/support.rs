//! Replicas, writers and followers for the tests in this folder.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use backend::{RandomIds, Redis, SystemClock};
use chat::hub::Ports;
use chat::ports::{Directory, Presence, RoomLog};
use chat::{Caller, ConnectionId, Followed, Hub, RoomUpdate, StoreError};
use futures::StreamExt;
use futures::stream::BoxStream;
use protocol::{History, Position, Receipt, RoomEvent, RoomSlug, Timestamp};
use testkit::sample::{message, person, room};
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// Opens a replica.
pub async fn replica(url: &str) -> Redis {
    Redis::open(url).await.expect("the Redis can be opened")
}

/// A hub on a replica.
pub async fn hub(redis: &Redis) -> Hub {
    let redis = Arc::new(redis.clone());
    let ports = Ports {
        log: redis.clone(),
        directory: redis.clone(),
        accounts: redis.clone(),
        presence: redis,
        clock: Arc::new(SystemClock),
        ids: Arc::new(RandomIds),
    };
    Hub::open(ports).await.expect("the hub opens")
}

/// Creates the lobby.
pub async fn lobby(redis: &Redis) -> RoomSlug {
    let lobby = room(1, "lobby", "Lobby");
    let created = Directory::create(redis, &lobby).await;
    created.expect("the room is created");
    lobby.slug
}

/// A replica's log, as `testkit::sample` needs it.
pub fn log(redis: &Redis) -> Arc<dyn RoomLog> {
    Arc::new(redis.clone())
}

pub fn connection(id: &str) -> ConnectionId {
    ConnectionId(id.into())
}

/// The names of the people in the lobby, or `None` if Redis does not answer.
pub async fn here(redis: &Redis) -> Option<Vec<String>> {
    let roster = redis.roster(&RoomSlug::lobby(), 200).await.ok()?;
    assert_eq!(roster.people.len(), roster.here as usize);
    Some(
        roster
            .people
            .into_iter()
            .map(|person| person.name.into())
            .collect(),
    )
}

/// Waits until a condition is true. Returns how long that took.
pub async fn until(what: &str, limit: Duration, mut condition: impl AsyncFnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !condition().await {
        assert!(begun.elapsed() < limit, "{what}: not within {limit:?}");
        sleep(Duration::from_millis(10)).await;
    }
    begun.elapsed()
}

/// People who send one message after another, each until it is stored.
pub struct Writers {
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<Vec<Receipt>>>,
}

impl Writers {
    /// Starts `each` people on each replica.
    pub fn start(replicas: &[&Redis], each: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut tasks = Vec::new();
        for (n, redis) in replicas.iter().enumerate() {
            for m in 0..each {
                let (redis, stop) = ((*redis).clone(), Arc::clone(&stop));
                tasks.push(tokio::spawn(async move {
                    let author = person(&format!("Author-{n}-{m}"));
                    let mut receipts = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        let sent = message(&format!("m-{}", receipts.len()), "hello");
                        receipts.push(send(&redis, &author, sent).await);
                        // Without a pause, followers on two busy cores could not keep up.
                        sleep(Duration::from_millis(2)).await;
                    }
                    receipts
                }));
            }
        }
        Self { stop, tasks }
    }

    /// Stops the writers. Returns the receipts of each.
    pub async fn stop(self) -> Vec<Vec<Receipt>> {
        self.stop.store(true, Ordering::Relaxed);
        let mut receipts = Vec::new();
        for task in self.tasks {
            receipts.push(task.await.expect("the writer does not panic"));
        }
        receipts
    }
}

/// Sends a message to the lobby until it is stored, like a client. No call may take longer than a second.
pub async fn send(redis: &Redis, author: &protocol::Person, sent: protocol::Outgoing) -> Receipt {
    let lobby = RoomSlug::lobby();
    loop {
        let begun = Instant::now();
        let stored = redis.append(&lobby, author, vec![sent.clone()], Timestamp(1));
        let stored = stored.await;
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(1), "an append took {took:?}");
        match stored {
            Ok(mut receipts) => return receipts.remove(0),
            Err(StoreError::Failed(_)) => sleep(Duration::from_millis(20)).await,
            Err(error) => panic!("expected a receipt or a failure, not {error}"),
        }
    }
}

/// Checks that every acknowledged message is stored once, at the position of its receipt.
pub async fn assert_kept(redis: &Redis, receipts: &[Vec<Receipt>]) -> usize {
    let stored = testkit::sample::whole_log(&log(redis), &RoomSlug::lobby()).await;
    let mut seen = HashSet::new();
    for event in &stored {
        let protocol::EventBody::Posted { client_id, .. } = &event.body else {
            panic!("only messages were sent");
        };
        assert!(
            seen.insert((event.author.id.clone(), client_id.clone())),
            "{client_id} of {} is stored twice",
            event.author.id
        );
    }
    let mut count = 0;
    for receipt in receipts.iter().flatten() {
        let index = usize::try_from(receipt.seq.get()).expect("it fits") - 1;
        let event = stored.get(index).expect("an acknowledged message is stored");
        let protocol::EventBody::Posted { client_id, .. } = &event.body else {
            panic!("only messages were sent");
        };
        assert_eq!((client_id, &event.epoch), (&receipt.client_id, &receipt.epoch));
        count += 1;
    }
    count
}

/// Follows the lobby from the last position after a loss.
pub async fn follow_again(hub: &Hub, last: &Position) -> BoxStream<'static, RoomUpdate> {
    loop {
        match hub.follow(&RoomSlug::lobby(), Some(last.clone())).await {
            Ok(followed) => return followed.updates,
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Follows the lobby like the server: after a loss, from the last event.
pub struct Follower {
    task: JoinHandle<Heard>,
    last: Arc<std::sync::atomic::AtomicU64>,
}

/// What a follower received.
pub struct Heard {
    pub events: Vec<Arc<RoomEvent>>,
    /// How often the stream ended.
    pub lost: usize,
}

impl Follower {
    /// Follows until an event by `Last` arrives.
    pub async fn start(redis: &Redis) -> Self {
        let hub = hub(redis).await;
        let last = Arc::new(std::sync::atomic::AtomicU64::new(0));
        let heard_last = Arc::clone(&last);
        let Followed {
            mut head,
            mut updates,
        } = hub
            .follow(&RoomSlug::lobby(), None)
            .await
            .expect("the lobby can be followed");
        let task = tokio::spawn(async move {
            let mut heard = Heard {
                events: Vec::new(),
                lost: 0,
            };
            loop {
                match updates.next().await {
                    Some(RoomUpdate::Events(events)) => {
                        head.seq = events.last().map_or(head.seq, |event| event.seq);
                        heard.events.extend(events);
                    }
                    Some(RoomUpdate::Presence(_) | RoomUpdate::Roster(_)) => continue,
                    Some(RoomUpdate::Lost(_)) | None => {
                        heard.lost += 1;
                        updates = follow_again(&hub, &head).await;
                    }
                    Some(RoomUpdate::Reset(now)) => {
                        assert_eq!(now.epoch, head.epoch, "the log has no other epoch");
                        // More was missed than a follower catches up with, so read it like a client.
                        while head.seq < now.seq {
                            let missed = History {
                                room: RoomSlug::lobby(),
                                before: None,
                                after: Some(head.seq),
                            };
                            let answer = hub.ask(&Caller::NOBODY, missed);
                            for event in answer.await.map_or_else(|_| Vec::new(), |answer| answer.events) {
                                head.seq = event.seq;
                                heard.events.push(Arc::new(event));
                            }
                        }
                        heard.lost += 1;
                    }
                }
                let seqs = heard.events.iter().map(|event| event.seq.get());
                heard_last.store(seqs.clone().max().unwrap_or(0), Ordering::Relaxed);
                if heard
                    .events
                    .last()
                    .is_some_and(|event| event.author == person("Last"))
                {
                    return heard;
                }
            }
        });
        Self { task, last }
    }

    /// The latest seq that arrived.
    pub fn last(&self) -> u64 {
        self.last.load(Ordering::Relaxed)
    }

    /// What arrived, up to the event by `Last`.
    pub async fn heard(self) -> Heard {
        self.task.await.expect("the follower does not panic")
    }
}

/// Sends a message by `Last`, and checks that each follower received every event from `from` on, in order, once.
/// Returns how often streams ended.
pub async fn assert_heard(redis: &Redis, followers: Vec<Follower>, from: u64) -> usize {
    let last = send(redis, &person("Last"), message("last", "good night")).await;
    let mut lost = 0;
    for follower in followers {
        let heard = follower.heard().await;
        let mut seqs: Vec<_> = heard.events.iter().map(|event| event.seq.get()).collect();
        if heard.lost > 0 {
            // After a loss, an event may arrive twice. Clients drop the duplicate.
            seqs.dedup();
            seqs.sort_unstable();
            seqs.dedup();
        }
        let expected: Vec<_> = (from..=last.seq.get()).collect();
        assert!(
            seqs == expected,
            "expected all events once: {} of {}",
            seqs.len(),
            expected.len()
        );
        lost += heard.lost;
    }
    lost
}
