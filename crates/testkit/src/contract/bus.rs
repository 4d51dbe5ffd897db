//! What a bus promises: followers hear what was committed, in order and once, and learn where something is missing.

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chat::ports::{SessionSignal, Signal};
use chat::{Entry, SessionDigest, StoreError};
use futures::StreamExt;
use futures::stream::BoxStream;
use protocol::{Epoch, RoomSlug};

use crate::sample::{entry, session, slug};

/// Tests a bus against its contract. The fixture is an `async fn() -> testkit::Wire`.
#[macro_export]
macro_rules! bus_contract {
    ($fixture:ident) => {
        $crate::contract_tests! { bus, $fixture,
            followers_hear_in_order
            followers_hear_of_their_own_room_only
            what_both_ends_commit_arrives_once_and_in_order
            what_was_told_is_not_told_again
            a_slow_follower_gets_a_gap
            another_epoch_is_told
            followers_hear_which_sessions_end
        }
    };
}

/// One process on a bus.
#[async_trait]
pub trait End: Send + Sync {
    /// As the bus's own.
    fn committed(&self, room: &RoomSlug, entries: &[Arc<Entry>]);

    /// As the bus's own.
    fn ended(&self, session: &SessionDigest);

    /// As the bus's own.
    ///
    /// # Errors
    /// As the bus's own.
    async fn follow(&self, room: &RoomSlug) -> Result<BoxStream<'static, Signal>, StoreError>;

    /// As the bus's own.
    ///
    /// # Errors
    /// As the bus's own.
    async fn ends(&self) -> Result<BoxStream<'static, SessionSignal>, StoreError>;
}

/// A bus between two processes, which may be the same.
pub struct Wire {
    /// One process.
    pub near: Arc<dyn End>,
    /// The other one.
    pub far: Arc<dyn End>,
    _keep: Box<dyn Any + Send + Sync>,
}

impl Wire {
    /// A bus between two processes. `keep` (a server process) is dropped after it.
    pub fn new(near: Arc<dyn End>, far: Arc<dyn End>, keep: impl Any + Send + Sync) -> Self {
        Self {
            near,
            far,
            _keep: Box::new(keep),
        }
    }
}

/// A room's log, for followers who have to read what they missed.
#[derive(Default)]
pub struct Log(Mutex<Vec<Arc<Entry>>>);

impl Log {
    /// Commits the lobby's next events through one end.
    pub fn commit(&self, end: &dyn End, count: usize) {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = log.len() as u64 + 1;
        let new: Vec<_> = (first..).take(count).map(|n| Arc::new(entry(n))).collect();
        log.extend(new.iter().cloned());
        drop(log);
        end.committed(&RoomSlug::lobby(), &new);
    }

    fn after(&self, last: u64) -> Vec<u64> {
        let log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seqs = log.iter().map(|entry| entry.event.seq.get());
        seqs.filter(|seq| *seq > last).collect()
    }
}

/// Hears events up to `end` like a follower that was at `last`. Returns how many gaps came.
///
/// # Panics
/// If an event is missing without a gap, or the stream ends.
async fn hear(signals: &mut BoxStream<'static, Signal>, log: &Log, mut last: u64, end: u64) -> usize {
    let mut gaps = 0;
    while last < end {
        match signals.next().await.expect("the stream continues") {
            // The log was read further than that.
            Signal::Event(entry) if gaps > 0 && entry.event.seq.get() <= last => {}
            Signal::Event(entry) => {
                assert_eq!(
                    entry.event.seq.get(),
                    last + 1,
                    "in order, once, and without a hole"
                );
                last += 1;
            }
            Signal::Gap => {
                gaps += 1;
                last = log.after(last).last().copied().unwrap_or(last);
            }
            Signal::NewEpoch => panic!("there is one epoch"),
        }
    }
    gaps
}

async fn follow(end: &Arc<dyn End>, room: &RoomSlug) -> BoxStream<'static, Signal> {
    end.follow(room).await.expect("the room can be followed")
}

/// Followers at both ends hear what was committed at one end, in order.
pub async fn followers_hear_in_order(wire: &Wire) {
    let (log, lobby) = (Log::default(), RoomSlug::lobby());
    let mut followers = [follow(&wire.near, &lobby).await, follow(&wire.far, &lobby).await];
    for count in [1, 3, 1, 50, 2] {
        log.commit(&*wire.near, count);
    }
    for signals in &mut followers {
        hear(signals, &log, 0, 57).await;
    }
}

/// A follower of another room hears nothing.
pub async fn followers_hear_of_their_own_room_only(wire: &Wire) {
    let (log, other) = (Log::default(), slug("other"));
    let mut followers = [follow(&wire.near, &other).await, follow(&wire.far, &other).await];
    log.commit(&*wire.near, 3);
    let mut there = entry(1);
    there.event.room = other.clone();
    wire.near.committed(&other, &[Arc::new(there)]);
    for signals in &mut followers {
        match signals.next().await {
            Some(Signal::Event(entry)) => assert_eq!(entry.event.room, other),
            heard => panic!("an event, but: {heard:?}"),
        }
    }
}

/// Whichever end commits, everybody hears everything once and in order.
pub async fn what_both_ends_commit_arrives_once_and_in_order(wire: &Wire) {
    let (log, lobby) = (Log::default(), RoomSlug::lobby());
    let mut followers = [follow(&wire.near, &lobby).await, follow(&wire.far, &lobby).await];
    // A follower that has heard nothing does not know which event is the first.
    log.commit(&*wire.near, 1);
    for signals in &mut followers {
        hear(signals, &log, 0, 1).await;
    }
    for n in 0..200 {
        let end = if n % 3 == 0 { &wire.far } else { &wire.near };
        log.commit(&**end, 1 + n % 4);
    }
    for signals in &mut followers {
        hear(signals, &log, 1, 501).await;
    }
}

/// After the last event comes the next one, and nothing in between.
pub async fn what_was_told_is_not_told_again(wire: &Wire) {
    let (log, lobby) = (Log::default(), RoomSlug::lobby());
    let mut signals = follow(&wire.far, &lobby).await;
    for n in 0..20 {
        log.commit(&*wire.near, 1);
        hear(&mut signals, &log, n, n + 1).await;
    }
}

/// A follower that does not keep up gets a gap instead of what does not fit into its queue.
pub async fn a_slow_follower_gets_a_gap(wire: &Wire) {
    let (log, lobby) = (Log::default(), RoomSlug::lobby());
    let mut followers = [follow(&wire.near, &lobby).await, follow(&wire.far, &lobby).await];
    let mut quick = follow(&wire.far, &lobby).await;
    for batch in 0..100 {
        log.commit(&*wire.near, 100);
        // Whoever listens to the same channel and keeps up hears everything.
        hear(&mut quick, &log, batch * 100, (batch + 1) * 100).await;
    }
    for signals in &mut followers {
        assert!(hear(signals, &log, 0, 10_000).await > 0, "a gap was told");
    }
    log.commit(&*wire.near, 1);
    for signals in &mut followers {
        hear(signals, &log, 10_000, 10_001).await;
    }
}

/// The first event of another epoch arrives, whatever came before.
pub async fn another_epoch_is_told(wire: &Wire) {
    let (log, lobby) = (Log::default(), RoomSlug::lobby());
    let mut followers = [follow(&wire.near, &lobby).await, follow(&wire.far, &lobby).await];
    log.commit(&*wire.near, 3);
    let mut again = entry(1);
    again.event.epoch = Epoch::from_random(2);
    wire.near.committed(&lobby, &[Arc::new(again.clone())]);
    for signals in &mut followers {
        hear(signals, &log, 0, 3).await;
        match signals.next().await {
            Some(Signal::Event(entry)) => assert_eq!(*entry, again),
            heard => panic!("an event, but: {heard:?}"),
        }
    }
}

/// Both ends hear of the end of a session, in the order in which they ended.
pub async fn followers_hear_which_sessions_end(wire: &Wire) {
    let followers = [wire.near.ends().await, wire.far.ends().await];
    let sessions = [session("one"), session("two")];
    for ended in &sessions {
        wire.near.ended(ended);
    }
    for ends in followers {
        let mut ends = ends.expect("ends can be followed");
        for ended in &sessions {
            assert_eq!(ends.next().await, Some(SessionSignal::Ended(*ended)));
        }
    }
}
