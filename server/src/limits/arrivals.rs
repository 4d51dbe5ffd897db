//! What comes from one address one at a time: people, rooms, guests and pages. So many at once, and then one after the
//! other.
//!
//! Whoever is refused gets a time of their own. With the same time for all, everybody would come back at once, one would
//! get in, and who that is would be luck.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::proxies::ClientAddress;

/// Never promise a time further ahead than this; conditions will have changed. It also bounds what somebody who never
/// waits can do to the others of the same address.
const LONGEST: Duration = Duration::from_secs(300);

/// One rate, for each address by itself.
pub struct Arrivals {
    /// Between one arrival and the next, once those at once are used up.
    every: Duration,
    /// In this time all that may come at once comes back.
    refill: Duration,
    used: Mutex<HashMap<ClientAddress, Used>>,
}

/// What an address has used.
struct Used {
    /// When all of it will have come back.
    until: Instant,
    /// The first time that has been promised to nobody.
    promised: Instant,
}

impl Arrivals {
    /// This many at once, and again this many over each `refill`.
    pub fn new(many: NonZeroU32, refill: Duration) -> Self {
        let every = (refill / many.get()).max(Duration::from_nanos(1));
        Self {
            every,
            refill: every * many.get(),
            used: Mutex::default(),
        }
    }

    /// Counts one of an address, or says how long it must wait.
    ///
    /// The times are promised in the order of the refusals and as far apart as arrivals are, so whoever keeps to theirs
    /// finds that nobody has taken it, unless a newcomer was faster by a moment.
    pub fn count(&self, address: ClientAddress, now: Instant) -> Result<(), Duration> {
        let mut table = self.table();
        let used = table.entry(address).or_insert(Used {
            until: now,
            promised: now,
        });
        let next = used.until.max(now) + self.every;
        // Since that moment there is room for one more.
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

    /// Forgets addresses that have been idle.
    pub fn forget_idle(&self, now: Instant) {
        let mut table = self.table();
        table.retain(|_, used| used.until > now);
        table.shrink_to_fit();
    }

    fn table(&self) -> MutexGuard<'_, HashMap<ClientAddress, Used>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// From half of [`LONGEST`] to the whole, different for each who asks.
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

    /// Ten at once, and one more every six seconds.
    fn ten() -> Arrivals {
        Arrivals::new(NonZeroU32::new(10).unwrap(), MINUTE)
    }

    #[test]
    fn so_many_and_then_one_after_the_other() {
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
            "somebody else has ten of their own"
        );
    }

    #[test]
    fn whoever_keeps_to_the_time_gets_in_in_the_order_of_asking() {
        let (arrivals, start) = (ten(), Instant::now());
        let asked: Vec<_> = (0..40).map(|_| arrivals.count(address(1), start)).collect();
        assert!(asked[..10].iter().all(Result::is_ok));
        let waits: Vec<Duration> = asked.into_iter().filter_map(Result::err).collect();
        assert!(waits.is_sorted() && waits.windows(2).all(|pair| pair[0] < pair[1]));
        for wait in waits {
            let then = start + wait;
            assert_eq!(arrivals.count(address(1), then), Ok(()), "{wait:?}");
            let newcomer = arrivals.count(address(1), then + Duration::from_millis(1));
            assert!(newcomer.is_err(), "nobody overtakes");
        }
    }

    #[test]
    fn far_ahead_nothing_is_promised() {
        let (arrivals, start) = (ten(), Instant::now());
        let waits: Vec<_> = (0..1_000)
            .filter_map(|_| arrivals.count(address(1), start).err())
            .collect();
        assert!(waits.iter().all(|wait| *wait <= LONGEST));
        let later: Vec<_> = waits.iter().skip(100).collect();
        assert!(later.iter().all(|wait| **wait >= LONGEST / 2));
        assert!(later.windows(2).any(|pair| pair[0] != pair[1]));
        // It heals by itself.
        assert_eq!(arrivals.count(address(1), start + LONGEST), Ok(()));
    }

    #[test]
    fn addresses_that_are_idle_are_forgotten() {
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
