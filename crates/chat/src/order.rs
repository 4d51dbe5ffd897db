//! Puts the events of a room, which come from several replicas, into the order of its log, for a bus between replicas.
//! Values in, values out: the caller has the clock.
//!
//! Two replicas can publish in another order than they committed. An event that comes early is held until the events
//! before it are there. If they do not come in time, the follower gets [`Signal::Gap`] instead, and reads the log,
//! which has them all.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::{Position, Seq, Timestamp};

use crate::ports::Signal;
use crate::room::Entry;

/// The most events that are held, and their bytes: more than the other replicas commit in one batch each. Less would make
/// followers read from the log what is already on its way.
const HELD: (usize, usize) = (4_096, 1024 * 1024);

/// What followers of a room were told, and the events that came early.
#[derive(Default)]
pub struct Order {
    /// The position that followers have been told. `None`: the next event defines it.
    told: Option<Position>,
    /// The time of the event at that position, if they were told it.
    at: Option<Timestamp>,
    early: BTreeMap<Seq, Arc<Entry>>,
    /// The size of the early events.
    bytes: usize,
}

impl Order {
    /// Takes events. Returns what to tell the followers now.
    pub fn take(&mut self, entries: &[Arc<Entry>]) -> Vec<Signal> {
        let mut signals = Vec::with_capacity(entries.len());
        for entry in entries {
            self.take_one(entry, &mut signals);
        }
        signals
    }

    fn take_one(&mut self, entry: &Arc<Entry>, signals: &mut Vec<Signal>) {
        match &self.told {
            Some(told) if told.epoch == entry.event.epoch => {
                if entry.event.seq <= told.seq {
                    // It was told before, or a gap came instead. Another event with the same number: the log went back.
                    if entry.event.seq == told.seq && self.at.is_some_and(|at| at != entry.event.at) {
                        self.pass(Arc::clone(entry), signals);
                    }
                    return;
                }
                if entry.event.seq > told.seq.next() {
                    return self.hold(entry, signals);
                }
            }
            // Events of another log's beginning say nothing about this one.
            Some(_) => self.forget(),
            None => {}
        }
        self.pass(Arc::clone(entry), signals);
        self.pass_held(signals);
    }

    fn hold(&mut self, entry: &Arc<Entry>, signals: &mut Vec<Signal>) {
        if self.early.insert(entry.event.seq, Arc::clone(entry)).is_none() {
            self.bytes += entry.bytes();
        }
        if self.early.len() > HELD.0 || self.bytes > HELD.1 {
            signals.extend(self.give_up());
        }
    }

    fn pass(&mut self, entry: Arc<Entry>, signals: &mut Vec<Signal>) {
        self.told = Some(Position {
            epoch: entry.event.epoch.clone(),
            seq: entry.event.seq,
        });
        self.at = Some(entry.event.at);
        signals.push(Signal::Event(entry));
    }

    /// Passes on held events that are next.
    fn pass_held(&mut self, signals: &mut Vec<Signal>) {
        while let Some(next) = self.awaited()
            && let Some(entry) = self.early.remove(&next)
        {
            self.bytes -= entry.bytes();
            self.pass(entry, signals);
        }
    }

    /// Time is over: replaces the held events, and what is missing before them, by a gap.
    pub fn give_up(&mut self) -> Option<Signal> {
        let (last, _) = self.early.last_key_value()?;
        if let Some(told) = &mut self.told {
            told.seq = *last;
        }
        self.at = None;
        self.forget();
        Some(Signal::Gap)
    }

    /// The log has reached this position. Returns what to tell the followers if they are not there yet.
    pub fn reached(&mut self, head: &Position) -> Vec<Signal> {
        match &self.told {
            Some(told) if told.epoch == head.epoch && told.seq >= head.seq => return vec![],
            Some(told) if told.epoch == head.epoch => {
                let newer = self.early.split_off(&head.seq.next());
                self.early = newer;
                self.bytes = self.early.values().map(|entry| entry.bytes()).sum();
            }
            _ => self.forget(),
        }
        (self.told, self.at) = (Some(head.clone()), None);
        let mut signals = vec![Signal::Gap];
        self.pass_held(&mut signals);
        signals
    }

    /// Anything may have been missed, and followers get a gap: the next event defines the position.
    pub fn restart(&mut self) {
        (self.told, self.at) = (None, None);
        self.forget();
    }

    /// The event that the held ones wait for. `None` if none is held.
    pub fn waits_for(&self) -> Option<Seq> {
        self.awaited().filter(|_| !self.early.is_empty())
    }

    fn awaited(&self) -> Option<Seq> {
        self.told.as_ref().map(|told| told.seq.next())
    }

    fn forget(&mut self) {
        self.early.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests;
