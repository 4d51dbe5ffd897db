//! Virtual time: it stops while any task can run, then jumps to the next moment that a task waits for.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use chat::ports::Clock;
use futures::executor::LocalPool;
use futures::future::{Either, select};
use protocol::Timestamp;

/// The first moment, in milliseconds. Not zero, which could be mistaken for "never".
const BEGINNING: u64 = 1_000_000;

/// The clock. Clones are the same clock. Only the ports need it to be `Send`; there is one thread.
#[derive(Clone)]
pub struct Time(Arc<Mutex<Inner>>);

struct Inner {
    now: u64,
    order: u64,
    waiting: BTreeMap<(u64, u64), Waker>,
}

impl Default for Time {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Inner {
            now: BEGINNING,
            order: 0,
            waiting: BTreeMap::new(),
        })))
    }
}

impl Time {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The present, in milliseconds.
    pub fn millis(&self) -> u64 {
        self.inner().now
    }

    /// Milliseconds since the beginning, for the trace.
    pub fn elapsed(&self) -> u64 {
        self.millis() - BEGINNING
    }

    /// Waits this many milliseconds.
    pub fn sleep(&self, ms: u64) -> Sleep {
        self.sleep_until(self.millis() + ms)
    }

    /// Waits until that time.
    pub fn sleep_until(&self, at: u64) -> Sleep {
        Sleep {
            time: self.clone(),
            at,
            key: None,
        }
    }

    /// The result of the work, if it comes in time.
    pub async fn within<F: Future + Unpin>(&self, ms: u64, work: F) -> Option<F::Output> {
        match select(work, self.sleep(ms)).await {
            Either::Left((result, _)) => Some(result),
            Either::Right(_) => None,
        }
    }

    /// Jumps to the next moment that a task waits for. Returns false if none waits.
    fn advance(&self) -> bool {
        let waker = {
            let mut inner = self.inner();
            let Some(((at, _), waker)) = inner.waiting.pop_first() else {
                return false;
            };
            inner.now = inner.now.max(at);
            waker
        };
        waker.wake();
        true
    }

    /// Runs everything, in the same order each time, until `done`. Returns false if tasks wait for something that never
    /// happens.
    pub fn run(&self, pool: &mut LocalPool, done: &Rc<Cell<bool>>) -> bool {
        loop {
            pool.run_until_stalled();
            if done.get() {
                return true;
            }
            if !self.advance() {
                return false;
            }
        }
    }
}

impl Clock for Time {
    fn now(&self) -> Timestamp {
        Timestamp(self.millis())
    }
}

/// Waits until a time.
pub struct Sleep {
    time: Time,
    at: u64,
    key: Option<(u64, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut inner = this.time.inner();
        if inner.now >= this.at {
            return Poll::Ready(());
        }
        let key = *this.key.get_or_insert_with(|| {
            inner.order += 1;
            (this.at, inner.order)
        });
        let former = inner.waiting.insert(key, context.waker().clone());
        drop(inner);
        drop(former);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            // Not dropped under the lock: the waker may own other sleeps.
            let waker = self.time.inner().waiting.remove(&key);
            drop(waker);
        }
    }
}
