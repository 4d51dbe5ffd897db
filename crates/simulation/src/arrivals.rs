//! Things on their way, which arrive when they are due, in whatever order they were sent.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use futures::Stream;

use crate::time::{Sleep, Time};

/// The sending end. The stream ends when it is dropped, after what is on its way.
pub struct Post<T>(Weak<Shared<T>>);

/// What arrives.
pub struct Arrivals<T> {
    shared: Arc<Shared<T>>,
    time: Time,
    /// Until the first is due.
    until: Option<Sleep>,
}

type Shared<T> = Mutex<Way<T>>;

struct Way<T> {
    /// By the time at which they are due, and the order of sending.
    items: BTreeMap<(u64, u64), T>,
    sent: u64,
    closed: bool,
    waker: Option<Waker>,
}

fn lock<T>(shared: &Shared<T>) -> MutexGuard<'_, Way<T>> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A way on which nothing is yet.
pub fn way<T>(time: &Time) -> (Post<T>, Arrivals<T>) {
    let shared = Arc::new(Mutex::new(Way {
        items: BTreeMap::new(),
        sent: 0,
        closed: false,
        waker: None,
    }));
    let post = Post(Arc::downgrade(&shared));
    let arrivals = Arrivals {
        shared,
        time: time.clone(),
        until: None,
    };
    (post, arrivals)
}

impl<T> Post<T> {
    /// Sends something that arrives at `due`.
    pub fn send(&self, due: u64, what: T) {
        if let Some(shared) = self.0.upgrade() {
            let waker = {
                let mut way = lock(&shared);
                way.sent += 1;
                let key = (due, way.sent);
                way.items.insert(key, what);
                way.waker.take()
            };
            // Not under the lock, because a task that is woken or dropped may use it.
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    /// True if nobody receives any more.
    pub fn is_closed(&self) -> bool {
        self.0.strong_count() == 0
    }
}

impl<T> Drop for Post<T> {
    fn drop(&mut self) {
        if let Some(shared) = self.0.upgrade() {
            let waker = {
                let mut way = lock(&shared);
                way.closed = true;
                way.waker.take()
            };
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

impl<T> Stream for Arrivals<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let this = &mut *self;
        let now = this.time.millis();
        let (first, former) = {
            let mut way = lock(&this.shared);
            let first = way.items.first_key_value().map(|((due, _), _)| *due);
            match first {
                Some(due) if due <= now => {
                    let item = way.items.pop_first().map(|(_, item)| item);
                    return Poll::Ready(item);
                }
                None if way.closed => return Poll::Ready(None),
                _ => (first, way.waker.replace(context.waker().clone())),
            }
        };
        drop(former);
        this.until = first.map(|due| this.time.sleep_until(due));
        match &mut this.until {
            // The first is due later, so this waits.
            Some(until) => Pin::new(until).poll(context).map(|()| None),
            None => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use futures::StreamExt;
    use futures::executor::LocalPool;
    use futures::task::LocalSpawnExt;

    use super::*;

    #[test]
    fn things_arrive_when_they_are_due() {
        let (mut pool, time, done) = (LocalPool::new(), Time::default(), Rc::new(Cell::new(false)));
        let (post, arrivals) = way(&time);
        let now = time.millis();
        for (after, what) in [(30, "third"), (10, "first"), (30, "fourth"), (20, "second")] {
            post.send(now + after, what);
        }
        let told = Rc::clone(&done);
        let spawned = pool.spawner().spawn_local(async move {
            let all: Vec<_> = arrivals.collect().await;
            assert_eq!(all, ["first", "second", "third", "fourth"]);
            told.set(true);
        });
        spawned.expect("a pool");
        drop(post);
        assert!(time.run(&mut pool, &done), "the stream ends");
        assert_eq!(time.millis(), now + 30);
    }
}
