//! [`chat::Followers`] over a log that cannot always be followed: everybody who joined hears events, and no empty room
//! is followed.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chat::followers::Listener;
use chat::hub::Ports;
use chat::ports::{NewDeed, RoomLog, Signal};
use chat::{ChatError, Entry, Follower, Followers, Hub, Limit, Opened, RoomUpdate, StoreError, Stretch};
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::future::join_all;
use futures::stream::{BoxStream, StreamExt};
use protocol::{Epoch, LogEvent, Person, Position, Receipt, RoomSlug, Seq, Timestamp};
use testkit::sample::{empty_room, message, person, posted, seq};
use testkit::{Silent, within};

/// Rounds of joins.
const ROUNDS: u32 = 200;
/// How many join in each round.
const JOINERS: u32 = 12;

/// A log whose next attempts to follow it fail.
#[derive(Default)]
struct Flaky {
    failures: AtomicU32,
    followers: Mutex<Vec<UnboundedSender<Signal>>>,
}

impl Flaky {
    fn fail_next(&self, times: u32) {
        self.failures.store(times, Ordering::SeqCst);
    }

    fn tell(&self) {
        let by = person("Ada");
        let event = LogEvent {
            room: RoomSlug::lobby(),
            epoch: Epoch::from_random(1),
            seq: seq(1),
            at: Timestamp(1),
            by: by.id.clone(),
            deed: posted(message("m", "hello")),
        };
        let event = Arc::new(Entry { event, by });
        let mut followers = self.followers.lock().expect("no panic");
        followers.retain(|follower| follower.unbounded_send(Signal::Event(Arc::clone(&event))).is_ok());
    }
}

#[async_trait]
impl RoomLog for Flaky {
    async fn append(
        &self,
        _: &RoomSlug,
        _: &Person,
        _: Vec<NewDeed>,
        _: Timestamp,
    ) -> Result<Vec<Receipt>, StoreError> {
        Ok(vec![])
    }

    async fn head(&self, _: &RoomSlug) -> Result<Position, StoreError> {
        Ok(Position {
            epoch: Epoch::from_random(1),
            seq: Seq::ZERO,
        })
    }

    async fn read(&self, room: &RoomSlug, _: Seq, _: Limit) -> Result<Stretch, StoreError> {
        let head = self.head(room).await?;
        Ok(Stretch {
            head,
            entries: vec![],
            more: false,
        })
    }

    async fn open(&self, room: &RoomSlug, _: Option<Seq>, _: Limit) -> Result<Opened, StoreError> {
        Ok(empty_room(room, self.head(room).await?))
    }

    async fn follow(&self, _: &RoomSlug) -> Result<BoxStream<'static, Signal>, StoreError> {
        tokio::task::yield_now().await;
        let failing = |left: u32| left.checked_sub(1);
        let failed = self
            .failures
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, failing);
        if failed.is_ok() {
            return Err(StoreError::failed("the backend is away"));
        }
        let (sender, receiver) = unbounded();
        self.followers.lock().expect("no panic").push(sender);
        Ok(receiver.boxed())
    }
}

type Audience = Arc<Mutex<Vec<UnboundedSender<()>>>>;

/// Passes events on to an audience, and counts as working until it is dropped.
struct Telling {
    audience: Audience,
    working: Arc<AtomicUsize>,
}

impl Listener for Telling {
    async fn deliver(&mut self, mut updates: BoxStream<'static, RoomUpdate>, _: &mut Position) {
        while let Some(what) = updates.next().await {
            if matches!(what, RoomUpdate::Events(_)) {
                let audience = self.audience.lock().expect("no panic");
                audience.iter().for_each(|one| drop(one.unbounded_send(())));
            }
        }
    }

    async fn gone(&mut self) {}

    fn failed(&mut self, _: &ChatError) {}

    fn panicked(&mut self) {}

    fn checks(&self) -> BoxStream<'static, ()> {
        futures::stream::pending().boxed()
    }

    async fn pause(&mut self) {
        tokio::task::yield_now().await;
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        self.working.fetch_sub(1, Ordering::SeqCst);
    }
}

/// One server process.
#[derive(Clone)]
struct Process {
    log: Arc<Flaky>,
    hub: Hub,
    followers: Followers<Audience>,
    working: Arc<AtomicUsize>,
}

/// A person who is in the room.
struct Member {
    follower: Arc<Follower<Audience>>,
    heard: UnboundedReceiver<()>,
}

impl Process {
    async fn start() -> Self {
        let log = Arc::<Flaky>::default();
        let ports = Ports {
            log: log.clone(),
            directory: Arc::new(Silent),
            accounts: Arc::new(Silent),
            presence: Arc::new(Silent),
            clock: Arc::new(Silent),
            ids: Arc::new(Silent),
        };
        Self {
            log,
            hub: Hub::open(ports).await.expect("the hub opens"),
            followers: Followers::default(),
            working: Arc::default(),
        }
    }

    fn hold(&self) -> Arc<Follower<Audience>> {
        self.followers.hold(&RoomSlug::lobby(), |start| {
            let audience = Audience::default();
            self.working.fetch_add(1, Ordering::SeqCst);
            let telling = Telling {
                audience: Arc::clone(&audience),
                working: Arc::clone(&self.working),
            };
            let hub = self.hub.clone();
            tokio::spawn(async move { hub.keep_following(start, telling).await });
            audience
        })
    }

    /// Joins as a client does: tries again until it works.
    async fn join(self) -> Member {
        loop {
            let follower = self.hold();
            if follower.started().await.is_ok() {
                let (sender, heard) = unbounded();
                follower.shared.lock().expect("no panic").push(sender);
                return Member { follower, heard };
            }
            // A caller that was refused releases its hold some time later.
            tokio::task::yield_now().await;
            drop(follower.release());
        }
    }

    async fn follows_nothing(&self) {
        while self.working.load(Ordering::SeqCst) > 0 || self.followers.count() > 0 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_hold_of_a_failed_follower_does_not_hold_the_next() {
    within(async {
        let process = Process::start().await;
        process.log.fail_next(1);
        let failed = process.hold();
        assert!(failed.started().await.is_err());
        let mut member = process.clone().join().await;
        assert!(!Arc::ptr_eq(&failed, &member.follower), "a separate follower");
        drop(failed.release());
        assert!(process.followers.follows(&RoomSlug::lobby()));
        process.log.tell();
        assert!(member.heard.next().await.is_some());
        drop(member);
        process.follows_nothing().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn joins_while_the_backend_fails_leave_no_member_deaf_and_no_room_followed() {
    within(async {
        let process = Process::start().await;
        let mut silent = 0;
        for round in 0..ROUNDS {
            process.log.fail_next(round % 7);
            let joining = (0..JOINERS).map(|_| tokio::spawn(process.clone().join()));
            let joined = join_all(joining).await.into_iter();
            let mut members: Vec<Member> = joined.map(|member| member.expect("no panic")).collect();
            process.log.tell();
            for member in &mut members {
                let hearing = tokio::time::timeout(std::time::Duration::from_secs(5), member.heard.next());
                silent += u32::from(hearing.await.is_err());
            }
            let follower = &members[0].follower;
            assert!(members.iter().all(|one| Arc::ptr_eq(&one.follower, follower)));
            drop(members);
            process.follows_nothing().await;
        }
        assert_eq!(
            silent, 0,
            "members who joined and hear nothing, in {ROUNDS} rounds"
        );
    })
    .await;
}

#[tokio::test]
async fn the_last_holder_may_keep_the_room_followed() {
    within(async {
        let process = Process::start().await;
        let (one, other) = (process.clone().join().await, process.clone().join().await);
        assert!(one.follower.release().is_none(), "another member is still there");
        drop(one);
        let kept = other.follower.release().expect("the last one");
        drop(other);
        let back = process.clone().join().await;
        assert!(Arc::ptr_eq(&kept, &back.follower), "the same follower");
        drop(kept);
        assert!(process.followers.follows(&RoomSlug::lobby()));
        drop(back);
        process.follows_nothing().await;
    })
    .await;
}
