//! One process' subscription to a room's channel.

use std::collections::BTreeMap;
use std::sync::Arc;

use chat::Entry;
use chat::ports::{PresenceChange, Signal};

use super::ProcessNumber;
use super::teller::{Followers, Heard, Teller, lock};
use crate::arrivals::{Post, way};
use crate::time::Time;
use crate::world::{Dice, Hands};

/// Who publishes. The messages of one publisher arrive in its order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Publisher {
    /// The bus itself, about presence.
    Bus,
    /// A process, about what it has committed.
    Process(ProcessNumber),
}

/// A subscription, shared by the followers of the room's log and of its presence.
pub struct Subscription {
    /// To the task that tells the followers of the log.
    heard: Post<Heard>,
    signals: Followers,
    /// To followers of the presence.
    changes: Vec<Post<PresenceChange>>,
    /// A change of presence was lost, and nobody has been told.
    pub missed: bool,
    /// When the last message of each publisher arrives.
    last: BTreeMap<Publisher, u64>,
    /// What arrives before this time is lost.
    deaf_until: u64,
}

impl Subscription {
    /// A subscription without followers. `ordered`: it puts events of several processes in order, as the bus on Redis
    /// does. Otherwise followers get them as they come.
    pub fn new(time: &Time, hands: &Hands, ordered: bool) -> Self {
        let (heard, arrivals) = way(time);
        let signals = Followers::default();
        let teller = Teller::new(time, &signals, ordered);
        hands.spawn(teller.run(arrivals));
        Self {
            heard,
            signals,
            changes: Vec::new(),
            missed: false,
            last: BTreeMap::new(),
            deaf_until: 0,
        }
    }

    /// True if nobody follows any more.
    pub fn is_over(&self) -> bool {
        lock(&self.signals).iter().all(Post::is_closed) && self.changes.iter().all(Post::is_closed)
    }

    /// Adds a follower of the log.
    pub fn follow(&self, signals: Post<Signal>) {
        let mut all = lock(&self.signals);
        all.retain(|known| !known.is_closed());
        all.push(signals);
    }

    /// Adds a follower of the presence. If the subscription is lost now, it is told so once it is back.
    pub fn follow_presence(&mut self, changes: Post<PresenceChange>, now: u64) {
        if now < self.deaf_until && self.deaf_until < u64::MAX {
            changes.send(self.deaf_until, PresenceChange::Unsure);
        }
        self.changes.retain(|known| !known.is_closed());
        self.changes.push(changes);
    }

    /// Everything until `back` is lost, and then the followers are told so. With `deaf`, everything is lost for good,
    /// and they are not told: see [`crate::world::Bug::Deaf`].
    pub fn interrupt(&mut self, back: u64, deaf: bool) {
        if deaf {
            self.deaf_until = u64::MAX;
            return;
        }
        self.deaf_until = self.deaf_until.max(back);
        let back = self.deaf_until;
        self.missed = false;
        self.heard.send(back, Heard::Gap);
        self.change(back, &PresenceChange::Unsure);
    }

    /// True if a message that is published now is lost here: alone, or with the subscription.
    pub fn fails(&mut self, now: u64, dice: &Dice, deaf: bool) -> bool {
        if dice.fault(60) {
            self.interrupt(now + dice.between(100..=3_000), deaf);
        }
        now < self.deaf_until || dice.fault(40)
    }

    /// Tells the followers of the log what their own process has committed. If their queue `overflows`, they are told
    /// that instead.
    pub fn tell_own(&mut self, now: u64, events: &[Arc<Entry>], overflows: bool) {
        let heard = Heard::Events {
            events: events.to_vec(),
            alone: now < self.deaf_until,
        };
        self.heard.send(now, if overflows { Heard::Gap } else { heard });
    }

    /// Tells the followers of the log what another process has committed, perhaps `twice`.
    pub fn tell(&mut self, from: Publisher, due: u64, events: &[Arc<Entry>], twice: bool) {
        let due = self.after_last(from, due);
        for _ in 0..=u32::from(twice) {
            let (events, alone) = (events.to_vec(), false);
            self.heard.send(due, Heard::Events { events, alone });
        }
    }

    /// Tells the followers of the presence what changed.
    pub fn change(&mut self, due: u64, change: &PresenceChange) {
        let due = self.after_last(Publisher::Bus, due);
        let missed = std::mem::take(&mut self.missed);
        for changes in &self.changes {
            if missed {
                changes.send(due, PresenceChange::Unsure);
            }
            changes.send(due, change.clone());
        }
    }

    fn after_last(&mut self, from: Publisher, due: u64) -> u64 {
        let last = self.last.entry(from).or_default();
        *last = due.max(*last);
        *last
    }
}
