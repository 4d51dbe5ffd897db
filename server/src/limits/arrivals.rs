//! Sign-ins and new rooms of one address. Each of them stays for long, whoever it was for, so they have small rates of
//! their own: so many within five minutes.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::Clock;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// What is used up comes back over this time.
const REFILL: Duration = Duration::from_secs(300);

/// One rate, for each address by itself.
pub struct Arrivals(DefaultKeyedRateLimiter<IpAddr>);

impl Arrivals {
    /// This many at once, and again this many over each [`REFILL`].
    pub fn new(many: NonZeroU32) -> Self {
        let every = (REFILL / many.get()).max(Duration::from_nanos(1));
        let quota =
            Quota::with_period(every).map_or(Quota::per_second(many), |quota| quota.allow_burst(many));
        Self(RateLimiter::keyed(quota))
    }

    /// Counts one of an address, or says how long it must wait.
    pub fn count(&self, address: IpAddr) -> Result<(), Duration> {
        let counted = self.0.check_key(&address);
        counted.map_err(|until| until.wait_time_from(self.0.clock().now()))
    }

    /// Forgets addresses that have been idle.
    pub fn forget_idle(&self) {
        self.0.retain_recent();
        self.0.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_and_then_one_after_the_other() {
        let ten = NonZeroU32::new(10).expect("ten");
        let arrivals = Arrivals::new(ten);
        let (home, other) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        for _ in 0..10 {
            assert!(arrivals.count(home).is_ok());
        }
        let wait = arrivals.count(home).expect_err("ten are used up");
        assert!(
            wait > Duration::from_secs(20) && wait <= Duration::from_secs(30),
            "{wait:?}"
        );
        assert!(
            arrivals.count(other).is_ok(),
            "somebody else has ten of their own"
        );
    }
}
