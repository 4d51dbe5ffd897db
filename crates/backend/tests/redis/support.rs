//! Replicas, writers and followers for the tests in this folder.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use backend::{Bus, Postgres, RandomIds, Redis, Sharing, Sqlite, SystemClock};
use chat::hub::Ports;
use chat::ports::{Accounts, Directory, NewDeed, Presence, RoomLog, SessionSignal, Signal};
use chat::{
    Caller, ConnectionId, Entry, Followed, Hub, Limit, Opened, RoomUpdate, Session, SessionDigest,
    StoreError, Stretch,
};
use futures::StreamExt;
use futures::stream::BoxStream;
use protocol::{
    History, HistoryAnswer, Outgoing, Person, PersonId, Position, Receipt, RoomSlug, Seq, Timestamp,
};
use tempfile::TempDir;
use testkit::sample::{deeds, message, person, room};
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// One truth for several replicas, each of which has a Redis of its own to tell the others.
pub struct Truth {
    sqlite: Sqlite,
    replicas: Arc<Replicas>,
    _folder: TempDir,
}

/// The bus of the truth: passes on what was committed through the replica that stored it.
#[derive(Default)]
struct Replicas {
    redis: Mutex<Vec<Redis>>,
    /// The replica that each author writes through.
    writes_through: Mutex<HashMap<PersonId, usize>>,
    /// The replica through which sessions end.
    ends_through: AtomicUsize,
}

/// A replica. Its presence is its Redis'.
#[derive(Clone)]
pub struct Replica {
    redis: Redis,
    log: Arc<dyn RoomLog>,
    /// Its rooms.
    pub directory: Arc<dyn Directory>,
    accounts: Arc<dyn Accounts>,
    /// The replicas that share one connection to the truth, and which of them this is.
    shared: Option<(Arc<Replicas>, usize)>,
}

impl Deref for Replica {
    type Target = Redis;

    fn deref(&self) -> &Redis {
        &self.redis
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Truth {
    /// A truth with an empty lobby.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let replicas = Arc::new(Replicas::default());
        let sqlite = Sqlite::open(folder.path(), replicas.clone()).expect("an empty folder can be opened");
        Directory::create(&sqlite, &room(1, "lobby", "Lobby"))
            .await
            .expect("the room is created");
        Self {
            sqlite,
            replicas,
            _folder: folder,
        }
    }

    /// Opens a replica.
    pub async fn replica(&self, url: &str) -> Replica {
        let redis = Redis::open(url).await.expect("the Redis can be opened");
        let mut all = lock(&self.replicas.redis);
        all.push(redis.clone());
        let shared = Some((Arc::clone(&self.replicas), all.len() - 1));
        Replica::new(redis, self.sqlite.clone(), shared)
    }

    /// Opens two replicas.
    pub async fn two_replicas(&self, url: &str) -> (Replica, Replica) {
        (self.replica(url).await, self.replica(url).await)
    }

    /// Forgets all replicas, so that only the test has them: what is committed now is told to nobody.
    pub fn forget_replicas(&self) {
        lock(&self.replicas.redis).clear();
    }

    /// Its log.
    pub fn log(&self) -> Arc<dyn RoomLog> {
        Arc::new(self.sqlite.clone())
    }
}

#[async_trait]
impl Bus for Replicas {
    fn committed(&self, room: &RoomSlug, events: &[Arc<Entry>]) {
        let (redis, through) = (lock(&self.redis), lock(&self.writes_through));
        let index = |event: &Arc<Entry>| through.get(&event.by.id).copied().unwrap_or_default();
        for events in events.chunk_by(|one, two| index(one) == index(two)) {
            if let Some(redis) = redis.get(index(&events[0])) {
                redis.committed(room, events);
            }
        }
    }

    fn ended(&self, session: &SessionDigest) {
        if let Some(redis) = lock(&self.redis).get(self.ends_through.load(Ordering::Relaxed)) {
            redis.ended(session);
        }
    }

    async fn follow(&self, _: &RoomSlug) -> Result<BoxStream<'static, Signal>, StoreError> {
        unimplemented_here()
    }

    async fn ends(&self) -> Result<BoxStream<'static, SessionSignal>, StoreError> {
        unimplemented_here()
    }
}

fn unimplemented_here<T>() -> T {
    panic!("tests follow a replica")
}

#[async_trait]
impl RoomLog for Replica {
    async fn append(
        &self,
        room: &RoomSlug,
        author: &Person,
        deeds: Vec<NewDeed>,
        at: Timestamp,
    ) -> Result<Vec<Receipt>, StoreError> {
        if let Some((replicas, index)) = &self.shared {
            lock(&replicas.writes_through).insert(author.id.clone(), *index);
        }
        self.log.append(room, author, deeds, at).await
    }

    async fn head(&self, room: &RoomSlug) -> Result<Position, StoreError> {
        self.log.head(room).await
    }

    async fn read(&self, room: &RoomSlug, after: Seq, limit: Limit) -> Result<Stretch, StoreError> {
        self.log.read(room, after, limit).await
    }

    async fn open(&self, room: &RoomSlug, before: Option<Seq>, limit: Limit) -> Result<Opened, StoreError> {
        self.log.open(room, before, limit).await
    }

    async fn follow(&self, room: &RoomSlug) -> Result<BoxStream<'static, Signal>, StoreError> {
        Bus::follow(&self.redis, room).await
    }
}

#[async_trait]
impl Accounts for Replica {
    async fn create(
        &self,
        person: &Person,
        session: &SessionDigest,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.accounts.create(person, session, at).await
    }

    async fn session(&self, session: &SessionDigest) -> Result<Option<Session>, StoreError> {
        self.accounts.session(session).await
    }

    async fn prolong(&self, session: &SessionDigest, at: Timestamp) -> Result<(), StoreError> {
        self.accounts.prolong(session, at).await
    }

    async fn end(&self, session: &SessionDigest) -> Result<(), StoreError> {
        if let Some((replicas, index)) = &self.shared {
            replicas.ends_through.store(*index, Ordering::Relaxed);
        }
        self.accounts.end(session).await
    }

    async fn forget(&self, before: Timestamp, limit: u32) -> Result<u32, StoreError> {
        self.accounts.forget(before, limit).await
    }

    async fn ends(&self) -> Result<BoxStream<'static, SessionSignal>, StoreError> {
        Bus::ends(&self.redis).await
    }
}

impl Replica {
    fn new<T>(redis: Redis, truth: T, shared: Option<(Arc<Replicas>, usize)>) -> Self
    where
        T: RoomLog + Directory + Accounts + 'static,
    {
        let truth = Arc::new(truth);
        Self {
            redis,
            log: truth.clone(),
            directory: truth.clone(),
            accounts: truth,
            shared,
        }
    }

    /// Opens a replica with a connection of its own to a PostgreSQL, which others share.
    pub async fn on_postgres(database: &str, url: &str) -> Self {
        let redis = Redis::open(url).await.expect("the Redis can be opened");
        let postgres = Postgres::open(database, Arc::new(redis.clone()), Sharing::Replicas).await;
        Self::new(redis, postgres.expect("the database can be opened"), None)
    }

    /// A hub on this replica.
    pub async fn hub(&self) -> Hub {
        let ports = Ports {
            log: Arc::new(self.clone()),
            directory: self.directory.clone(),
            accounts: Arc::new(self.clone()),
            presence: Arc::new(self.redis.clone()),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
        };
        Hub::open(ports).await.expect("the hub opens")
    }

    /// Its log, as `testkit::sample` needs it.
    pub fn log(&self) -> Arc<dyn RoomLog> {
        Arc::new(self.clone())
    }

    /// The names of the people in the lobby.
    pub async fn here(&self) -> Vec<String> {
        let roster = self.redis.roster(&RoomSlug::lobby(), 200).await;
        let roster = roster.expect("there is always a roster");
        assert_eq!(roster.people.len(), roster.here as usize);
        let names = roster.people.into_iter().map(|person| person.name.into());
        names.collect()
    }

    /// Sends a message to the lobby. Must not take longer than a second, whatever happens to Redis.
    pub async fn send(&self, author: &Person, sent: Outgoing) -> Receipt {
        let (begun, lobby) = (Instant::now(), RoomSlug::lobby());
        let stored = self.append(&lobby, author, deeds(vec![sent]), Timestamp(1));
        let mut receipts = stored.await.expect("the message is stored");
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(1), "an append took {took:?}");
        receipts.remove(0)
    }
}

pub fn connection(id: &str) -> ConnectionId {
    ConnectionId(id.into())
}

/// The next item of a stream, which must come in time.
pub async fn next<T>(stream: &mut BoxStream<'static, T>, limit: Duration) -> T {
    let item = tokio::time::timeout(limit, stream.next()).await;
    item.expect("an item in time").expect("the stream continues")
}

/// People who send one message after another, each until it is stored.
pub struct Writers {
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<Vec<Receipt>>>,
}

impl Writers {
    /// Starts `each` people on each replica.
    pub fn start(replicas: &[&Replica], each: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut tasks = Vec::new();
        for (n, replica) in replicas.iter().enumerate() {
            for m in 0..each {
                let (replica, stop) = ((*replica).clone(), Arc::clone(&stop));
                tasks.push(tokio::spawn(async move {
                    let author = person(&format!("Author-{n}-{m}"));
                    let mut receipts = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        let sent = message(&format!("m-{}", receipts.len()), "hello");
                        receipts.push(replica.send(&author, sent).await);
                        // Without a pause, followers on two busy cores could not keep up.
                        sleep(Duration::from_millis(4)).await;
                    }
                    receipts
                }));
            }
        }
        Self { stop, tasks }
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

/// Follows the lobby like the server: after a loss, from the last event.
pub struct Follower {
    task: JoinHandle<Vec<u64>>,
    last: Arc<AtomicU64>,
}

impl Follower {
    /// Follows until an event by `Last` arrives.
    pub async fn start(replica: &Replica) -> Self {
        let hub = replica.hub().await;
        let last = Arc::new(AtomicU64::new(0));
        let heard_last = Arc::clone(&last);
        let Followed {
            mut head,
            mut updates,
        } = hub
            .follow(&RoomSlug::lobby(), None)
            .await
            .expect("the lobby can be followed");
        let task = tokio::spawn(async move {
            let mut heard = Vec::new();
            loop {
                let events: Vec<_> = match updates.next().await {
                    Some(RoomUpdate::Events(events)) => {
                        events.iter().map(|entry| entry.event.clone()).collect()
                    }
                    Some(RoomUpdate::Presence(_) | RoomUpdate::Roster(_)) => continue,
                    Some(RoomUpdate::Reset(now)) => {
                        assert_eq!(now.epoch, head.epoch, "the log has no other epoch");
                        // More was missed than a follower catches up with, so read it like a client.
                        let mut events = Vec::new();
                        while head.seq < now.seq {
                            let missed = History {
                                room: RoomSlug::lobby(),
                                before: None,
                                after: Some(head.seq),
                            };
                            let answer = hub.ask(&Caller::NOBODY, missed).await;
                            match answer.expect("the log can be read") {
                                HistoryAnswer::Events(missed) => events.extend(missed.events),
                                HistoryAnswer::Page(page) => panic!("events, but: {page:?}"),
                            }
                            head.seq = events.last().map_or(head.seq, |last| last.seq);
                        }
                        events
                    }
                    other => panic!("the stream continues, but: {other:?}"),
                };
                for event in &events {
                    head.seq = event.seq;
                    heard.push(event.seq.get());
                }
                heard_last.store(head.seq.get(), Ordering::Relaxed);
                if events.last().is_some_and(|event| event.by == person("Last").id) {
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

    /// Waits until everything up to this seq has arrived.
    pub async fn has(&self, seq: u64, limit: Duration) -> Duration {
        testkit::until("events arrive", limit, async || self.last() >= seq).await
    }
}

/// Sends a message by `Last`, and checks that each follower received every event from `from` on, in order, once.
pub async fn assert_heard(replica: &Replica, followers: Vec<Follower>, from: u64) {
    let last = replica.send(&person("Last"), message("last", "good night")).await;
    for follower in followers {
        let seqs = follower.task.await.expect("the follower does not panic");
        let expected: Vec<_> = (from..=last.seq.get()).collect();
        assert!(
            seqs == expected,
            "expected all events once: {} of {}",
            seqs.len(),
            expected.len()
        );
    }
}
