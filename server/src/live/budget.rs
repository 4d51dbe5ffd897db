//! Accounts for what the process holds for slow readers: one account per connection, one budget for all.
//!
//! Bytes are charged when they start to wait, and credited when the kernel takes them or they are dropped. When the
//! sum exceeds the budget, the connections that owe the most for the longest are cut until it is well below again. So
//! a connection is not cut because a large answer has just started to leave. A connection for which nothing waits
//! touches no shared state.
//!
//! A room's packet exists once in memory for all its readers but is charged to each of them. So the sum is an upper
//! bound of what is held, and does not depend on which connections are slow.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The most bytes that may wait in the whole process.
pub const BUDGET: usize = 64 * 1024 * 1024;
/// The most bytes that may wait for one connection before its next packet. Beyond that it is cut, and catches up when
/// it reconnects.
pub const PER_CONNECTION: usize = 2 * 1024 * 1024;
/// A connection's next command is not handled while more than this waits for it.
pub const MUCH: usize = 128 * 1024;
/// When choosing whom to cut, owing for this much longer weighs as much as the same debt again.
const LONG: Duration = Duration::from_secs(1);

/// A peer that bytes wait for.
pub trait Debtor: Send + Sync {
    /// Ends the connection and drops what waits for it. Called from a task of its own, never within
    /// [`Account::charge`].
    fn cut(&self);
}

/// The budget of the process. Cheap to clone.
#[derive(Clone)]
pub struct Budget(Arc<Shared>);

struct Shared {
    limit: usize,
    /// The sum of all accounts, as a metric.
    waiting: Gauge,
    begun: Instant,
    opened: AtomicU64,
    accounts: Mutex<HashMap<u64, Weak<Account>>>,
    cuts: Counter,
}

/// The account of one connection.
pub struct Account {
    number: u64,
    budget: Budget,
    debtor: Weak<dyn Debtor>,
    waiting: AtomicUsize,
    /// When bytes started to wait, in milliseconds since the budget was created.
    since: AtomicU64,
    closed: AtomicBool,
    eased: Notify,
}

impl Budget {
    /// A budget of `limit` bytes. `waiting` shows how much is used, `cuts` counts the connections that were cut.
    pub fn new(limit: usize, waiting: Gauge, cuts: Counter) -> Self {
        Self(Arc::new(Shared {
            limit,
            waiting,
            begun: Instant::now(),
            opened: AtomicU64::new(0),
            accounts: Mutex::default(),
            cuts,
        }))
    }

    /// Opens an account. It is closed when dropped.
    pub fn open(&self, debtor: Weak<dyn Debtor>) -> Arc<Account> {
        let number = self.0.opened.fetch_add(1, Ordering::Relaxed);
        let account = Arc::new(Account {
            number,
            budget: self.clone(),
            debtor,
            waiting: AtomicUsize::new(0),
            since: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            eased: Notify::new(),
        });
        let mut accounts = self
            .0
            .accounts
            .lock()
            .unwrap_or_else(|broken| broken.into_inner());
        accounts.insert(number, Arc::downgrade(&account));
        account
    }

    /// Bytes that wait in the whole process.
    fn waiting(&self) -> usize {
        usize::try_from(self.0.waiting.get()).unwrap_or(0)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn add(&self, bytes: usize) -> usize {
        let before = self.0.waiting.inc_by(bytes.cast_signed() as i64);
        usize::try_from(before).unwrap_or(0) + bytes
    }

    fn subtract(&self, bytes: usize) {
        self.0.waiting.dec_by(bytes.cast_signed() as i64);
    }

    /// Cuts the worst debtors until an eighth of the budget is free, so that the next cut is not due at once.
    #[cold]
    fn enforce(&self) {
        // The lock is held by another call of this function, or briefly by an account that opens or closes; then the
        // next charge enforces.
        let Ok(accounts) = self.0.accounts.try_lock() else {
            return;
        };
        let mut debtors: Vec<_> = accounts.values().filter_map(Weak::upgrade).collect();
        drop(accounts);
        let now = self.now();
        debtors.sort_by_cached_key(|account| std::cmp::Reverse(account.weight(now)));
        let mut cut = Vec::new();
        for account in debtors {
            if self.waiting() <= self.0.limit / 8 * 7 {
                break;
            }
            if account.close() > 0 {
                self.0.cuts.inc();
                cut.push(account);
            }
        }
        if cut.is_empty() {
            return;
        }
        tracing::info!(
            connections = cut.len(),
            "too much data is waiting for slow readers; cutting off those that are furthest behind"
        );
        // The caller may hold a lock that a debtor needs in order to close.
        tokio::spawn(async move {
            for account in cut {
                if let Some(debtor) = account.debtor.upgrade() {
                    debtor.cut();
                }
            }
        });
    }
}

impl Account {
    /// Records that these bytes start to wait.
    pub fn charge(&self, bytes: usize) {
        if self.closed.load(Ordering::Relaxed) {
            return;
        }
        if self.waiting.fetch_add(bytes, Ordering::Relaxed) == 0 {
            self.since.store(self.budget.now(), Ordering::Relaxed);
        }
        if self.budget.add(bytes) > self.budget.0.limit {
            self.budget.enforce();
        }
    }

    /// Records that these bytes no longer wait.
    pub fn credit(&self, bytes: usize) {
        let less = |waiting: usize| Some(waiting.saturating_sub(bytes));
        let before = self
            .waiting
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .unwrap_or(0);
        // The bytes of a closed account were already taken from the sum.
        let credited = before.min(bytes);
        self.budget.subtract(credited);
        if before > MUCH && before - credited <= MUCH {
            self.eased.notify_waiters();
        }
    }

    /// Bytes that wait for this connection.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// The debt, weighted by its age.
    fn weight(&self, now: u64) -> u128 {
        let long = now.saturating_sub(self.since.load(Ordering::Relaxed));
        self.waiting() as u128 * (LONG.as_millis() + u128::from(long))
    }

    /// Completes when at most [`MUCH`] waits, or when the account is closed.
    pub async fn eased(&self) {
        while self.waiting() > MUCH {
            let eased = self.eased.notified();
            if self.waiting() <= MUCH {
                return;
            }
            eased.await;
        }
    }

    /// Closes the account: nothing more is charged. Returns the bytes that waited.
    pub fn close(&self) -> usize {
        self.closed.store(true, Ordering::Relaxed);
        let waited = self.waiting.swap(0, Ordering::Relaxed);
        self.budget.subtract(waited);
        self.eased.notify_waiters();
        waited
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.close();
        let accounts = &self.budget.0.accounts;
        let mut accounts = accounts.lock().unwrap_or_else(|broken| broken.into_inner());
        accounts.remove(&self.number);
        // Release memory after a peak of connections.
        if accounts.len() < accounts.capacity() / 4 {
            accounts.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A peer that remembers being cut.
    #[derive(Default)]
    struct Peer(AtomicBool);

    impl Debtor for Peer {
        fn cut(&self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    fn open(budget: &Budget) -> (Arc<Peer>, Arc<Account>) {
        let peer = Arc::new(Peer::default());
        let debtor: Weak<dyn Debtor> = Arc::downgrade(&(Arc::clone(&peer) as Arc<dyn Debtor>));
        (peer, budget.open(debtor))
    }

    #[tokio::test]
    async fn the_largest_debtor_is_cut_for_the_last_byte() {
        let cuts = Counter::default();
        let budget = Budget::new(1_000, Gauge::default(), cuts.clone());
        let (large, large_account) = open(&budget);
        let (small, small_account) = open(&budget);
        large_account.charge(600);
        small_account.charge(400);
        tokio::task::yield_now().await;
        assert!(!large.0.load(Ordering::Relaxed), "the budget is not exceeded yet");
        small_account.charge(1);
        assert_eq!(budget.waiting(), 401, "what will be dropped no longer counts");
        while !large.0.load(Ordering::Relaxed) {
            tokio::task::yield_now().await;
        }
        assert!(!small.0.load(Ordering::Relaxed));
        assert_eq!(cuts.get(), 1);
        large_account.credit(600);
        large_account.charge(600);
        assert_eq!(budget.waiting(), 401, "a closed account changes nothing");
        drop((large_account, small_account));
        assert_eq!(budget.waiting(), 0);
        assert!(budget.0.accounts.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn among_equals_the_older_debt_is_cut() {
        let budget = Budget::new(1_000, Gauge::default(), Counter::default());
        let (older, older_account) = open(&budget);
        let (newer, newer_account) = open(&budget);
        older_account.charge(500);
        tokio::time::sleep(Duration::from_millis(20)).await;
        newer_account.charge(504);
        while !older.0.load(Ordering::Relaxed) {
            tokio::task::yield_now().await;
        }
        assert!(!newer.0.load(Ordering::Relaxed));
        assert_eq!(budget.waiting(), 504);
    }

    #[tokio::test]
    async fn among_many_equals_an_eighth_is_freed() {
        let budget = Budget::new(8_000, Gauge::default(), Counter::default());
        let peers: Vec<_> = (0..100).map(|_| open(&budget)).collect();
        for (_, account) in &peers {
            account.charge(80);
        }
        peers[0].1.charge(1);
        assert!(
            (6_900..=7_000).contains(&budget.waiting()),
            "{}",
            budget.waiting()
        );
    }

    #[tokio::test]
    async fn waiting_until_it_eased_ends() {
        let budget = Budget::new(BUDGET, Gauge::default(), Counter::default());
        let (_peer, account) = open(&budget);
        account.charge(MUCH + 10);
        let waiting = {
            let account = Arc::clone(&account);
            tokio::spawn(async move { account.eased().await })
        };
        tokio::task::yield_now().await;
        account.credit(9);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        account.credit(1);
        waiting.await.unwrap();
        account.charge(MUCH);
        let waiting = {
            let account = Arc::clone(&account);
            tokio::spawn(async move { account.eased().await })
        };
        tokio::task::yield_now().await;
        account.close();
        waiting.await.unwrap();
    }
}
