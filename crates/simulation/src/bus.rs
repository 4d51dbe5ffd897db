//! The bus: tells replicas what was committed, and knows who is present. It keeps no events. It loses single messages,
//! and whole subscriptions, and is sometimes away.
//!
//! A process tells its own followers at once and in order. Others hear later, and from several processes in any order.

mod present;
mod subscription;
mod teller;

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chat::Entry;
use chat::StoreError;
use chat::ports::{PresenceChange, Signal};
use futures::stream::{BoxStream, StreamExt};
use protocol::RoomSlug;

use crate::arrivals::way;
use crate::backend::travel;
use crate::time::Time;
use crate::world::{Bug, Dice, Hands, World};
use present::Change;
pub use present::{Connected, Present, key};
use subscription::{Publisher, Subscription};

/// How long a follower waits for its subscription, in milliseconds.
const CONFIRMED: u64 = 900;

/// The number of a process. A replica that starts again is another process.
pub type ProcessNumber = u32;

/// A handle: clones are the same bus.
#[derive(Clone)]
pub struct Bus {
    inner: Arc<Mutex<Inner>>,
    time: Time,
    dice: Dice,
    hands: Hands,
    /// Subscriptions put events in order. If they do not, followers do.
    ordered: bool,
    deaf: bool,
}

#[derive(Default)]
struct Inner {
    processes: ProcessNumber,
    away_until: u64,
    subscriptions: BTreeMap<(RoomSlug, ProcessNumber), Subscription>,
    present: Present,
}

impl Bus {
    /// A bus without subscribers.
    pub fn new(world: &World) -> Self {
        Self {
            inner: Arc::default(),
            time: world.time.clone(),
            dice: world.dice.clone(),
            hands: world.hands.clone(),
            ordered: world.dice.one_in(2),
            deaf: world.bug == Some(Bug::Deaf),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A process that uses it.
    pub fn process(&self) -> Process {
        let mut inner = self.inner();
        inner.processes += 1;
        Process {
            bus: self.clone(),
            number: inner.processes,
        }
    }

    /// Is away for a while, which breaks all subscriptions. It may come back without anybody present.
    pub fn go_away(&self, ms: u64) {
        let mut inner = self.inner();
        let inner = &mut *inner;
        inner.away_until = self.time.millis() + ms;
        if self.dice.one_in(2) {
            inner.present.empty();
        }
        for subscription in inner.subscriptions.values_mut() {
            let back = inner.away_until + self.dice.between(0..=1_500);
            subscription.interrupt(back, self.deaf);
        }
    }
}

/// The bus as one process sees it.
#[derive(Clone)]
pub struct Process {
    bus: Bus,
    number: ProcessNumber,
}

impl Process {
    /// Waits for the bus to confirm a subscription, but not for long: while it is away, followers go on with what their
    /// own process tells.
    pub async fn subscribe(&self) {
        let way = travel(&self.bus.time, &self.bus.dice);
        let _confirmed = self.bus.time.within(CONFIRMED, pin!(way)).await;
    }

    fn is_away(&self) -> bool {
        self.bus.time.millis() < self.bus.inner().away_until
    }

    /// Every event of a room that is committed from now on, or a gap.
    pub fn follow(&self, room: &RoomSlug) -> BoxStream<'static, Signal> {
        let (post, arrivals) = way(&self.bus.time);
        self.with_subscription(room, |subscription, _| subscription.follow(post));
        arrivals.boxed()
    }

    /// Every change of a room's presence from now on, or [`PresenceChange::Unsure`].
    pub fn changes(&self, room: &RoomSlug) -> BoxStream<'static, PresenceChange> {
        let (post, arrivals) = way(&self.bus.time);
        self.with_subscription(room, |subscription, now| subscription.follow_presence(post, now));
        arrivals.boxed()
    }

    fn with_subscription(&self, room: &RoomSlug, f: impl FnOnce(&mut Subscription, u64)) {
        let mut inner = self.bus.inner();
        let inner = &mut *inner;
        inner.subscriptions.retain(|_, known| !known.is_over());
        let (now, away_until) = (self.bus.time.millis(), inner.away_until);
        let known = inner.subscriptions.entry((room.clone(), self.number));
        let subscription = known.or_insert_with(|| {
            let mut new = Subscription::new(&self.bus.time, &self.bus.hands, self.bus.ordered);
            if now < away_until {
                new.interrupt(away_until, self.bus.deaf);
            }
            new
        });
        f(subscription, now);
    }

    /// Tells what was committed: this process at once, others by the room's channel.
    pub fn committed(&self, room: &RoomSlug, events: &[Arc<Entry>]) {
        if events.is_empty() {
            return;
        }
        let (now, dice) = (self.bus.time.millis(), &self.bus.dice);
        let mut inner = self.bus.inner();
        let inner = &mut *inner;
        let own = inner.subscriptions.get_mut(&(room.clone(), self.number));
        if let Some(own) = own {
            let overflows = dice.fault(300);
            own.tell_own(now, events, overflows);
        }
        let published = match inner.away_until.checked_sub(now) {
            None | Some(0) => now,
            // The backlog is dropped, or published later.
            Some(_) if dice.one_in(2) => return,
            Some(wait) => now + wait + dice.between(0..=1_500),
        };
        if dice.fault(60) {
            return;
        }
        let others = inner.subscriptions.range_mut((room.clone(), 0)..);
        for ((_, process), other) in others.take_while(|((of, _), _)| of == room) {
            if *process != self.number && !other.fails(published, dice, self.bus.deaf) {
                let delay = delay(dice);
                let publisher = Publisher::Process(self.number);
                other.tell(publisher, published + delay, events, dice.fault(60));
            }
        }
    }

    /// Asks or changes who is present, and tells the followers what changed.
    ///
    /// # Errors
    /// The bus is away.
    pub fn present<T>(&self, f: impl FnOnce(&mut Present, ProcessNumber, u64) -> T) -> Result<T, StoreError> {
        if self.is_away() {
            return Err(StoreError::failed("the bus is away"));
        }
        let (now, dice) = (self.bus.time.millis(), &self.bus.dice);
        let mut inner = self.bus.inner();
        let inner = &mut *inner;
        inner.present.forget_dead(now);
        let result = f(&mut inner.present, self.number, now);
        for Change { room, change } in inner.present.take_changes() {
            let followers = inner.subscriptions.range_mut((room.clone(), 0)..);
            for (_, follower) in followers.take_while(|((of, _), _)| *of == room) {
                if follower.fails(now, dice, self.bus.deaf) {
                    follower.missed = true;
                } else {
                    follower.change(now + delay(dice), &change);
                }
            }
        }
        Ok(result)
    }

    /// Tells this process' followers that they missed a change of presence, if they did.
    pub fn check_presence(&self) {
        let now = self.bus.time.millis();
        for ((_, process), own) in &mut self.bus.inner().subscriptions {
            if *process == self.number && std::mem::take(&mut own.missed) {
                own.change(now, &PresenceChange::Unsure);
            }
        }
    }

    /// This process' followers were given a roster that the bus did not tell.
    pub fn guessed(&self, room: &RoomSlug) {
        let key = (room.clone(), self.number);
        if let Some(own) = self.bus.inner().subscriptions.get_mut(&key) {
            own.missed = true;
        }
    }

    /// The process was killed. Its people stay until its lease ends.
    pub fn end(&self) {
        let mut inner = self.bus.inner();
        let ended = |(_, process): &(RoomSlug, ProcessNumber)| *process == self.number;
        inner.subscriptions.retain(|key, _| !ended(key));
    }
}

/// The way of a message through the bus.
fn delay(dice: &Dice) -> u64 {
    if dice.fault(20) {
        dice.between(0..=2_000)
    } else {
        dice.between(0..=8)
    }
}
