//! What everything in a simulation shares: the clock, the dice, whether things fail now, the bug to find, and the trace.

use std::cell::RefCell;
use std::future::Future;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chat::ports::Ids;
use futures::StreamExt;
use futures::channel::mpsc::{UnboundedSender, unbounded};
use futures::executor::LocalSpawner;
use futures::future::{AbortHandle, BoxFuture, FutureExt, abortable};
use futures::task::LocalSpawnExt;

use crate::time::Time;

/// Dice that fall the same way for the same seed. Clones are the same dice.
#[derive(Clone)]
pub struct Dice {
    random: Arc<Mutex<fastrand::Rng>>,
    faulty: Arc<AtomicBool>,
    mild: u32,
}

impl Dice {
    /// Some seeds have a bad day, others a very bad one.
    pub fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let mild = [1, 2, 5][random.usize(0..3)];
        Self {
            random: Arc::new(Mutex::new(random)),
            faulty: Arc::new(AtomicBool::new(true)),
            mild,
        }
    }

    fn roll<T>(&self, f: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        f(&mut self.random.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A number in the range.
    pub fn between(&self, range: RangeInclusive<u64>) -> u64 {
        self.roll(|random| random.u64(range))
    }

    /// True once in `n` times.
    pub fn one_in(&self, n: u32) -> bool {
        self.roll(|random| random.u32(0..n)) == 0
    }

    /// True once in about `n` times, while things fail at all.
    pub fn fault(&self, n: u32) -> bool {
        self.faulty() && self.one_in(n * self.mild)
    }

    /// True while things fail.
    pub fn faulty(&self) -> bool {
        self.faulty.load(Ordering::Relaxed)
    }

    /// Nothing fails from here on.
    pub fn end_faults(&self) {
        self.faulty.store(false, Ordering::Relaxed);
    }
}

impl Ids for Dice {
    fn random(&self) -> u128 {
        self.roll(|random| random.u128(..))
    }
}

/// What happened, line by line, if it is recorded.
#[derive(Default)]
pub struct Trace(Option<RefCell<Vec<String>>>);

impl Trace {
    /// A trace that records, or one that does not.
    pub fn new(kept: bool) -> Self {
        Self(kept.then(RefCell::default))
    }
}

/// A bug that is put in on purpose, and that the simulation must find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// A truth that crashes or fails over forgets which `client_id`s it has stored.
    Forgets,
    /// The bus loses a subscription for good, and signals no gap.
    Deaf,
    /// A hold on a follower that failed to start is taken off its successor's count.
    Miscounts,
    /// The truth applies an old edit over a newer one.
    Stale,
}

impl Bug {
    /// All of them, with their names on the command line.
    pub const ALL: [(&'static str, Self); 4] = [
        ("forgets", Self::Forgets),
        ("deaf", Self::Deaf),
        ("miscounts", Self::Miscounts),
        ("stale", Self::Stale),
    ];
}

/// Starts tasks for those who outlive the caller, and may be called from the ports, which are `Send`.
#[derive(Clone)]
pub struct Hands(UnboundedSender<BoxFuture<'static, ()>>);

impl Hands {
    /// Starts a task. It goes on even if the process that started it is killed.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        // Fails only when the pool is gone, and everything with it.
        let _gone = self.0.unbounded_send(task.boxed());
    }
}

/// A handle: clones are the same world.
#[derive(Clone)]
pub struct World {
    /// The clock.
    pub time: Time,
    /// The dice.
    pub dice: Dice,
    /// The bug that was put in.
    pub bug: Option<Bug>,
    /// Starts tasks from the ports.
    pub hands: Hands,
    spawner: LocalSpawner,
    trace: Rc<Trace>,
}

impl World {
    /// A new world.
    pub fn new(dice: Dice, spawner: LocalSpawner, trace: Trace, bug: Option<Bug>) -> Self {
        let (hands, mut tasks) = unbounded();
        let world = Self {
            time: Time::default(),
            dice,
            bug,
            hands: Hands(hands),
            spawner,
            trace: Rc::new(trace),
        };
        let spawner = world.spawner.clone();
        world.spawn(async move {
            while let Some(task) = tasks.next().await {
                let _gone = spawner.spawn_local(task);
            }
        });
        world
    }

    /// Records what happens.
    pub fn note(&self, what: impl FnOnce() -> String) {
        if let Some(lines) = &self.trace.0 {
            let line = format!("{:>7} ms  {}", self.time.elapsed(), what());
            lines.borrow_mut().push(line);
        }
    }

    /// What was recorded.
    pub fn notes(&self) -> Vec<String> {
        self.trace.0.as_ref().map(RefCell::take).unwrap_or_default()
    }

    /// Starts a task.
    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        // Fails only when the pool is gone, and everything with it.
        let _gone = self.spawner.spawn_local(task);
    }

    /// Starts a task that can be aborted.
    pub fn spawn_abortable(&self, task: impl Future<Output = ()> + 'static) -> AbortHandle {
        let (task, handle) = abortable(task);
        self.spawn(async move {
            let _ended = task.await;
        });
        handle
    }
}
