//! The storage itself: one room's log, shared by all replicas. It never fails; [`crate::backend`] does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chat::ports::{Ids, Signal};
use chat::{Fill, Limit, StoreError, Stretch};
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::stream::{BoxStream, StreamExt, select};
use protocol::{
    ClientId, Epoch, EventBody, Outgoing, Person, PersonId, Position, Receipt, RoomEvent, RoomSlug, Seq,
    Timestamp,
};

use crate::time::Time;
use crate::world::Dice;

/// A signal and the time at which it arrives.
type Due = (u64, Signal);

/// A handle: clones are the same storage.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Mutex<Inner>>,
    time: Time,
    dice: Dice,
    forgetful: bool,
}

#[derive(Default)]
struct Inner {
    log: Option<Log>,
    /// Logs that were emptied. What was acknowledged in them is gone, but was true.
    former: Vec<Log>,
    followers: Vec<Follower>,
}

struct Log {
    epoch: Epoch,
    events: Vec<Arc<RoomEvent>>,
    known: BTreeMap<(PersonId, ClientId), Seq>,
}

/// A follower that hears events late or not at all, and in that case hears later that some may be missing.
struct Follower {
    events: UnboundedSender<Due>,
    warnings: UnboundedSender<Due>,
    last_due: u64,
    deaf_until: u64,
}

impl Store {
    /// An empty storage. A `forgetful` one does not recognise a message sent again: the bug that the simulation must
    /// find.
    pub fn new(time: Time, dice: Dice, forgetful: bool) -> Self {
        Self {
            inner: Arc::default(),
            time,
            dice,
            forgetful,
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_log<T>(&self, f: impl FnOnce(&mut Log) -> T) -> Result<T, StoreError> {
        let missing = || StoreError::NoSuchRoom(RoomSlug::lobby());
        self.inner().log.as_mut().map(f).ok_or_else(missing)
    }

    /// True if the room exists.
    pub fn exists(&self) -> bool {
        self.inner().log.is_some()
    }

    /// Creates the room, with a new epoch.
    pub fn create(&self) -> Result<(), StoreError> {
        let mut inner = self.inner();
        if inner.log.is_some() {
            return Err(StoreError::RoomExists(RoomSlug::lobby()));
        }
        inner.log = Some(Log {
            epoch: Epoch::from_random(self.dice.random()),
            events: Vec::new(),
            known: BTreeMap::new(),
        });
        self.warn(&mut inner, &Signal::NewEpoch);
        Ok(())
    }

    /// Deletes everything. Followers find out some time later.
    pub fn empty(&self) {
        let mut inner = self.inner();
        if let Some(log) = inner.log.take() {
            inner.former.push(log);
        }
        self.warn(&mut inner, &Signal::Gap);
    }

    fn warn(&self, inner: &mut Inner, signal: &Signal) {
        let now = self.time.millis();
        for follower in &inner.followers {
            let due = now + self.dice.between(0..=3_000);
            let _gone = follower.warnings.unbounded_send((due, signal.clone()));
        }
    }

    /// Stores messages, as [`chat::ports::RoomLog::append`] requires.
    pub fn append(
        &self,
        author: &Person,
        messages: Vec<Outgoing>,
        at: Timestamp,
    ) -> Result<Vec<Receipt>, StoreError> {
        let forgetful = self.forgetful;
        let (receipts, fresh) = self.with_log(|log| {
            let mut fresh = Vec::new();
            let store = |message| log.store(author, message, at, forgetful, &mut fresh);
            let receipts: Vec<_> = messages.into_iter().map(store).collect();
            (receipts, fresh)
        })?;
        let mut inner = self.inner();
        inner.followers.retain(|follower| !follower.events.is_closed());
        for follower in &mut inner.followers {
            for event in &fresh {
                self.tell(follower, Signal::Event(Arc::clone(event)));
            }
        }
        Ok(receipts)
    }

    /// Tells a follower in the log's order, or loses the signal and sends a gap later.
    fn tell(&self, follower: &mut Follower, signal: Signal) {
        let now = self.time.millis();
        let dice = &self.dice;
        if now < follower.deaf_until {
            return;
        }
        if dice.fault(30) {
            let warned = now + dice.between(100..=3_000);
            if dice.one_in(2) {
                follower.deaf_until = warned;
            }
            let _gone = follower.warnings.unbounded_send((warned, Signal::Gap));
            return;
        }
        let delay = if dice.fault(20) {
            dice.between(0..=2_000)
        } else {
            dice.between(0..=3)
        };
        follower.last_due = follower.last_due.max(now + delay);
        let _gone = follower
            .events
            .unbounded_send((follower.last_due, signal.clone()));
        if dice.fault(40) {
            let _gone = follower.events.unbounded_send((follower.last_due, signal));
        }
    }

    /// The log's head.
    pub fn head(&self) -> Result<Position, StoreError> {
        self.with_log(|log| log.head())
    }

    /// The first events after a position, as many as `limit` allows.
    pub fn read(&self, after: Seq, limit: Limit) -> Result<Stretch, StoreError> {
        self.with_log(|log| {
            let head = log.head();
            let from = usize::try_from(after.get())
                .unwrap_or(usize::MAX)
                .min(log.events.len());
            let mut fill = Fill::new(limit);
            let events = log.events[from..].iter();
            let to = from + events.take_while(|event| fill.take(event.bytes())).count();
            Stretch {
                head,
                events: log.events[from..to].to_vec(),
                more: to < log.events.len(),
            }
        })
    }

    /// The last events before a position, as many as `limit` allows.
    pub fn read_before(&self, before: Option<Seq>, limit: Limit) -> Result<Stretch, StoreError> {
        self.with_log(|log| {
            let head = log.head();
            let all = log.events.len();
            let to = before
                .map_or(all, |seq| seq.get().saturating_sub(1) as usize)
                .min(all);
            let mut fill = Fill::new(limit);
            let events = log.events[..to].iter().rev();
            let from = to - events.take_while(|event| fill.take(event.bytes())).count();
            Stretch {
                head,
                events: log.events[from..to].to_vec(),
                more: from > 0,
            }
        })
    }

    /// Follows the log, as [`chat::ports::RoomLog::follow`] requires.
    pub fn follow(&self) -> Result<BoxStream<'static, Signal>, StoreError> {
        self.with_log(|_| ())?;
        let ((events, told), (warnings, warned)) = (unbounded(), unbounded());
        self.inner().followers.push(Follower {
            events,
            warnings,
            last_due: 0,
            deaf_until: 0,
        });
        Ok(select(self.arriving(told), self.arriving(warned)).boxed())
    }

    fn arriving(&self, signals: UnboundedReceiver<Due>) -> BoxStream<'static, Signal> {
        let time = self.time.clone();
        let arrive = move |(due, signal)| {
            let arrival = time.sleep_until(due);
            async move {
                arrival.await;
                signal
            }
        };
        signals.then(arrive).boxed()
    }

    /// All events of every log there was; the present log comes last.
    pub fn logs(&self) -> Vec<Vec<Arc<RoomEvent>>> {
        let inner = self.inner();
        let logs = inner.former.iter().chain(&inner.log);
        logs.map(|log| log.events.clone()).collect()
    }
}

impl Log {
    fn head(&self) -> Position {
        Position {
            epoch: self.epoch.clone(),
            seq: self.events.last().map_or(Seq::ZERO, |event| event.seq),
        }
    }

    fn store(
        &mut self,
        author: &Person,
        message: Outgoing,
        at: Timestamp,
        forgetful: bool,
        fresh: &mut Vec<Arc<RoomEvent>>,
    ) -> Receipt {
        let Outgoing { client_id, text } = message;
        let key = (author.id.clone(), client_id.clone());
        let known = self.known.get(&key).copied().filter(|_| !forgetful);
        let seq = known.unwrap_or(self.head().seq.next());
        if known.is_none() {
            let event = Arc::new(RoomEvent {
                room: RoomSlug::lobby(),
                epoch: self.epoch.clone(),
                seq,
                at,
                author: author.clone(),
                body: EventBody::Posted {
                    client_id: client_id.clone(),
                    text,
                },
            });
            self.known.insert(key, seq);
            self.events.push(Arc::clone(&event));
            fresh.push(event);
        }
        Receipt {
            client_id,
            epoch: self.epoch.clone(),
            seq,
        }
    }
}
