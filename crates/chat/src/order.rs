//! Puts the events of a room, which come from several replicas, into the order of its log, for a bus between replicas.
//! Values in, values out: the caller has the clock.
//!
//! Two replicas can publish in another order than they committed. An event that comes early is held until the events
//! before it are there. If they do not come in time, the follower gets [`Signal::Gap`] instead, and reads the log,
//! which has them all.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::{Position, RoomEvent, Seq};

use crate::ports::Signal;

/// The most events that are held, and their bytes.
const HELD: (usize, usize) = (512, 1024 * 1024);

/// What followers of a room were told, and the events that came early.
#[derive(Default)]
pub struct Order {
    /// The position that followers have been told. `None`: the next event defines it.
    told: Option<Position>,
    early: BTreeMap<Seq, Arc<RoomEvent>>,
    /// The size of the early events.
    bytes: usize,
}

impl Order {
    /// Takes events. Returns what to tell the followers now.
    pub fn take(&mut self, events: &[Arc<RoomEvent>]) -> Vec<Signal> {
        let mut signals = Vec::with_capacity(events.len());
        for event in events {
            self.take_one(event, &mut signals);
        }
        signals
    }

    fn take_one(&mut self, event: &Arc<RoomEvent>, signals: &mut Vec<Signal>) {
        match &self.told {
            Some(told) if told.epoch == event.epoch => {
                if event.seq <= told.seq {
                    // It was told before, or a gap came instead.
                    return;
                }
                if event.seq > told.seq.next() {
                    return self.hold(event, signals);
                }
            }
            // Events of another log's beginning say nothing about this one.
            Some(_) => self.forget(),
            None => {}
        }
        self.pass(Arc::clone(event), signals);
        self.pass_held(signals);
    }

    fn hold(&mut self, event: &Arc<RoomEvent>, signals: &mut Vec<Signal>) {
        if self.early.insert(event.seq, Arc::clone(event)).is_none() {
            self.bytes += event.bytes();
        }
        if self.early.len() > HELD.0 || self.bytes > HELD.1 {
            signals.extend(self.give_up());
        }
    }

    fn pass(&mut self, event: Arc<RoomEvent>, signals: &mut Vec<Signal>) {
        self.told = Some(Position {
            epoch: event.epoch.clone(),
            seq: event.seq,
        });
        signals.push(Signal::Event(event));
    }

    /// Passes on held events that are next.
    fn pass_held(&mut self, signals: &mut Vec<Signal>) {
        while let Some(next) = self.awaited()
            && let Some(event) = self.early.remove(&next)
        {
            self.bytes -= event.bytes();
            self.pass(event, signals);
        }
    }

    /// Time is over: replaces the held events, and what is missing before them, by a gap.
    pub fn give_up(&mut self) -> Option<Signal> {
        let (last, _) = self.early.last_key_value()?;
        if let Some(told) = &mut self.told {
            told.seq = *last;
        }
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
                self.bytes = self.early.values().map(|event| event.bytes()).sum();
            }
            _ => self.forget(),
        }
        self.told = Some(head.clone());
        let mut signals = vec![Signal::Gap];
        self.pass_held(&mut signals);
        signals
    }

    /// Anything may have been missed, and followers get a gap: the next event defines the position.
    pub fn restart(&mut self) {
        self.told = None;
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
