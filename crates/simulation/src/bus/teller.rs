//! Tells the followers of a log what arrives, in order or as it comes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chat::Entry;
use chat::Order;
use chat::ports::Signal;
use futures::StreamExt;
use futures::future::{Either, select};
use protocol::Seq;

use crate::arrivals::{Arrivals, Post};
use crate::time::Time;

/// How long an event that came early waits for those before it, in milliseconds.
const HOLD: u64 = 30;

/// What arrives of a room's log.
pub enum Heard {
    /// Events, in the order of their publisher. `alone`: the subscription is lost, so only this process tells.
    Events { events: Vec<Arc<Entry>>, alone: bool },
    /// Something may be missing.
    Gap,
}

/// The followers of a log.
pub type Followers = Arc<Mutex<Vec<Post<Signal>>>>;

/// Tells the followers of a log what arrives.
pub struct Teller {
    time: Time,
    signals: Followers,
    /// Set if events are put in order.
    order: Option<Order>,
    /// The event that early ones wait for, and since when.
    waiting: Option<(Seq, u64)>,
}

impl Teller {
    /// With `ordered`, events of several processes are put in order.
    pub fn new(time: &Time, signals: &Followers, ordered: bool) -> Self {
        Self {
            time: time.clone(),
            signals: Arc::clone(signals),
            order: ordered.then(Order::default),
            waiting: None,
        }
    }

    /// As `crates/backend/src/redis/subscriptions/hearing.rs` does.
    pub async fn run(mut self, mut arrivals: Arrivals<Heard>) {
        loop {
            let heard = match self.waiting {
                None => arrivals.next().await,
                Some((_, since)) => {
                    let long = self.time.sleep_until(since + HOLD);
                    match select(arrivals.next(), long).await {
                        Either::Left((heard, _)) => heard,
                        Either::Right(_) => {
                            self.give_up();
                            continue;
                        }
                    }
                }
            };
            match heard {
                Some(heard) => self.hear(heard),
                None => return,
            }
        }
    }

    fn hear(&mut self, heard: Heard) {
        let (signals, alone) = match (heard, &mut self.order) {
            (Heard::Events { events, alone }, Some(order)) => (order.take(&events), alone),
            (Heard::Events { events, .. }, None) => (events.into_iter().map(Signal::Event).collect(), false),
            (Heard::Gap, order) => {
                order.iter_mut().for_each(Order::restart);
                (vec![Signal::Gap], false)
            }
        };
        self.tell(signals);
        let next = self.order.as_ref().and_then(Order::waits_for);
        let since = self.waiting.filter(|(waiting, _)| Some(*waiting) == next);
        let now = self.time.millis();
        self.waiting = next.map(|next| since.unwrap_or((next, now)));
        if alone {
            self.give_up();
        }
    }

    fn give_up(&mut self) {
        self.waiting = None;
        let gap = self.order.as_mut().and_then(Order::give_up);
        self.tell(gap.into_iter().collect());
    }

    fn tell(&self, told: Vec<Signal>) {
        let now = self.time.millis();
        for signals in lock(&self.signals).iter() {
            told.iter().for_each(|signal| signals.send(now, signal.clone()));
        }
    }
}

/// Locks, whoever panicked.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
