//! Limits events of one address that are counted one at a time: people, rooms, guests and pages. A burst is allowed,
//! then one event per interval.
//!
//! Every refusal names a different time. If all clients were given the same one, they would return at once, and all
//! but one would be refused again.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::proxies::ClientAddress;

/// Never promise a time further ahead than this; conditions will have changed. This also bounds what a client that
/// never waits can do to others behind the same address.
const LONGEST: Duration = Duration::from_secs(300);

/// One rate, applied to each address.
pub struct Arrivals {
    /// The interval between events once the burst is used up.
    every: Duration,
    /// The time in which a used-up burst refills.
    refill: Duration,
    used: Mutex<HashMap<ClientAddress, Used>>,
}

/// The usage of one address.
struct Used {
    /// When the burst will be full again.
    until: Instant,
    /// The earliest time that was not promised yet.
    promised: Instant,
}

impl Arrivals {
    /// A burst of `many`, refilled over `refill`.
    pub fn new(many: NonZeroU32, refill: Duration) -> Self {
        let every = (refill / many.get()).max(Duration::from_nanos(1));
        Self {
            every,
            refill: every * many.get(),
            used: Mutex::default(),
        }
    }

    /// Counts one event of an address, or says how long it must wait.
    ///
    /// Times are promised in the order of refusals, one interval apart. A client that returns on time is admitted,
    /// unless a new one takes its turn in that instant.
    pub fn count(&self, address: ClientAddress, now: Instant) -> Result<(), Duration> {
        let mut table = self.table();
        let used = table.entry(address).or_insert(Used {
            until: now,
            promised: now,
        });
        let next = used.until.max(now) + self.every;
        // The moment from which the burst has room for one more.
        let Some(free) = next.checked_sub(self.refill).filter(|free| *free > now) else {
            used.until = next;
            return Ok(());
        };
        let mine = used.promised.max(free);
        if mine > now + LONGEST {
            return Err(some_time());
        }
        used.promised = mine + self.every;
        Err(mine - now)
    }

    /// Removes idle addresses.
    pub fn forget_idle(&self, now: Instant) {
        let mut table = self.table();
        table.retain(|_, used| used.until > now);
        table.shrink_to_fit();
    }

    fn table(&self) -> MutexGuard<'_, HashMap<ClientAddress, Used>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A random wait between half of [`LONGEST`] and all of it.
fn some_time() -> Duration {
    let random = getrandom::u32().unwrap_or_default();
    LONGEST / 2 + (LONGEST / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn address(last: u8) -> ClientAddress {
        ClientAddress::of([192, 0, 2, last].into())
    }

    /// A burst of ten, then one every six seconds.
    fn ten() -> Arrivals {
        Arrivals::new(NonZeroU32::new(10).unwrap(), MINUTE)
    }

    #[test]
    fn after_the_burst_one_per_interval() {
        let (arrivals, start) = (ten(), Instant::now());
        for _ in 0..10 {
            assert_eq!(arrivals.count(address(1), start), Ok(()));
        }
        let second = Duration::from_secs(1);
        assert_eq!(arrivals.count(address(1), start), Err(6 * second));
        assert_eq!(arrivals.count(address(1), start + second), Err(11 * second));
        assert_eq!(
            arrivals.count(address(2), start),
            Ok(()),
            "another address has its own ten"
        );
    }

    #[test]
    fn clients_that_wait_are_admitted_in_the_order_of_their_refusals() {
        let (arrivals, start) = (ten(), Instant::now());
        let asked: Vec<_> = (0..40).map(|_| arrivals.count(address(1), start)).collect();
        assert!(asked[..10].iter().all(Result::is_ok));
        let waits: Vec<Duration> = asked.into_iter().filter_map(Result::err).collect();
        assert!(waits.is_sorted() && waits.windows(2).all(|pair| pair[0] < pair[1]));
        for wait in waits {
            let then = start + wait;
            assert_eq!(arrivals.count(address(1), then), Ok(()), "{wait:?}");
            let newcomer = arrivals.count(address(1), then + Duration::from_millis(1));
            assert!(newcomer.is_err(), "a newcomer does not overtake");
        }
    }

    #[test]
    fn no_time_far_ahead_is_promised() {
        let (arrivals, start) = (ten(), Instant::now());
        let waits: Vec<_> = (0..1_000)
            .filter_map(|_| arrivals.count(address(1), start).err())
            .collect();
        assert!(waits.iter().all(|wait| *wait <= LONGEST));
        let later: Vec<_> = waits.iter().skip(100).collect();
        assert!(later.iter().all(|wait| **wait >= LONGEST / 2));
        assert!(later.windows(2).any(|pair| pair[0] != pair[1]));
        // The allowance recovers by itself.
        assert_eq!(arrivals.count(address(1), start + LONGEST), Ok(()));
    }

    #[test]
    fn idle_addresses_are_forgotten() {
        let (arrivals, start) = (ten(), Instant::now());
        let _ = (
            arrivals.count(address(1), start),
            arrivals.count(address(2), start),
        );
        let _ = arrivals.count(address(2), start + Duration::from_secs(5));
        arrivals.forget_idle(start + Duration::from_secs(7));
        assert_eq!(arrivals.table().len(), 1);
    }
}
