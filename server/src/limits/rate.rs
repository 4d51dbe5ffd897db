//! A rate that allows debt: what has arrived is counted even beyond the burst, and the client is not read from until
//! the debt is paid.

use std::time::Duration;

use tokio::time::Instant;

/// Debt is capped at what this time pays off, so that the client can still answer pings.
const DEBT: Duration = Duration::from_secs(10);

/// A sustained rate and a burst.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    pub per_second: u32,
    pub burst: u32,
}

/// A token bucket that may be in debt.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    level: f32,
    at: Instant,
}

impl Bucket {
    pub fn new(rate: Rate, now: Instant) -> Self {
        Self {
            level: rate.burst as f32,
            at: now,
        }
    }

    /// Takes out `cost`, and returns how long it takes until the bucket is out of debt.
    pub fn spend(&mut self, cost: u32, rate: Rate, now: Instant) -> Duration {
        let gained = now.saturating_duration_since(self.at).as_secs_f32() * rate.per_second as f32;
        self.at = now;
        let debt = rate.per_second as f32 * DEBT.as_secs_f32();
        self.level = ((self.level + gained).min(rate.burst as f32) - cost as f32).max(-debt);
        Duration::from_secs_f32((-self.level).max(0.0) / rate.per_second.max(1) as f32)
    }

    /// Takes one out, without debt.
    ///
    /// # Errors
    /// If there is none: how long it takes until there is.
    pub fn take(&mut self, rate: Rate, now: Instant) -> Result<(), Duration> {
        self.spend(0, rate, now);
        if self.level < 1.0 {
            let wait = (1.0 - self.level) / rate.per_second.max(1) as f32;
            return Err(Duration::from_secs_f32(wait));
        }
        self.level -= 1.0;
        Ok(())
    }

    /// True if the bucket is full.
    pub fn is_full(&mut self, rate: Rate, now: Instant) -> bool {
        self.spend(0, rate, now);
        self.level >= rate.burst as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debts_are_paid_in_time() {
        let rate = Rate {
            per_second: 10,
            burst: 100,
        };
        let start = Instant::now();
        let mut bucket = Bucket::new(rate, start);
        assert_eq!(bucket.spend(100, rate, start), Duration::ZERO);
        assert_eq!(bucket.spend(5, rate, start), Duration::from_millis(500));
        assert_eq!(
            bucket.spend(0, rate, start + Duration::from_millis(500)),
            Duration::ZERO
        );
        let later = start + Duration::from_secs(3_600);
        assert_eq!(
            bucket.spend(100, rate, later),
            Duration::ZERO,
            "never more than a burst"
        );
        assert!(bucket.spend(1, rate, later) > Duration::ZERO);
        assert_eq!(bucket.spend(u32::MAX, rate, later), DEBT);
    }

    #[test]
    fn taking_one_by_one_makes_no_debt() {
        let rate = Rate {
            per_second: 2,
            burst: 3,
        };
        let start = Instant::now();
        let mut bucket = Bucket::new(rate, start);
        assert!((0..3).all(|_| bucket.take(rate, start).is_ok()));
        for _ in 0..100 {
            assert_eq!(bucket.take(rate, start), Err(Duration::from_millis(500)));
        }
        let later = start + Duration::from_millis(501);
        assert!(bucket.take(rate, later).is_ok() && bucket.take(rate, later).is_err());
    }
}
