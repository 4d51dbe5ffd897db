//! Decides whether a peer reads what waits for it fast enough.

use std::time::Duration;

use tokio::time::Instant;

/// Bytes per second that a peer must read while something waits for it: less than any mobile network offers today.
pub const LEAST: u64 = 4 * 1024;

/// The pace of one peer, from when something starts to wait for it until nothing does.
pub struct Pace {
    /// The interval between checks.
    every: Duration,
    since: Instant,
    due: Instant,
    /// What the peer had read by the previous check.
    before: u64,
}

impl Pace {
    /// The pace of a peer that has read `taken` bytes so far. It is first checked after `first`, then after each
    /// `every`.
    pub fn new(now: Instant, taken: u64, first: Duration, every: Duration) -> Self {
        Self {
            every,
            since: now,
            due: now + first,
            before: taken,
        }
    }

    /// True if the peer, which has now read `taken` bytes, keeps up.
    pub fn keeps(&mut self, now: Instant, taken: u64) -> bool {
        if now < self.due {
            return true;
        }
        let least = LEAST * (self.due - self.since).as_secs();
        if taken - self.before < least.max(1) {
            return false;
        }
        *self = Self::new(now, taken, self.every, self.every);
        true
    }

    /// When the next check is due.
    pub fn due(&self) -> Instant {
        self.due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = crate::live::wire::STALL;

    /// How long a peer that takes `bytes` every `step` is kept. `None`: longer than 200 s.
    fn kept(bytes: u64, step: Duration, first: Duration) -> Option<Duration> {
        let start = Instant::now();
        let mut pace = Pace::new(start, 7, first, EVERY);
        let mut taken = 7;
        for n in 1..2_000 {
            let passed = step * n;
            if passed > Duration::from_secs(200) {
                break;
            }
            // A check happens when it is due, and also whenever the peer takes something.
            for now in [pace.due(), start + passed] {
                if now <= start + passed && !pace.keeps(now, taken) {
                    return Some(now - start);
                }
            }
            taken += bytes;
        }
        None
    }

    #[test]
    fn a_peer_can_catch_up_before_it_misses_a_ping() {
        let (interval, timeout) = crate::config::Config::parse(|_| None).unwrap().limits.ping;
        let takes = protocol::limits::CATCH_UP_BYTES as u64 / LEAST;
        assert!(takes < (interval + timeout).as_secs(), "{takes} s");
    }

    #[test]
    fn a_peer_must_keep_taking_enough() {
        let ms = Duration::from_millis;
        assert_eq!(kept(1 << 20, ms(16_000), EVERY), Some(EVERY), "nothing for 15 s");
        assert_eq!(kept(1, ms(100), EVERY), Some(EVERY), "a drip");
        assert_eq!(kept(2 * 1024, ms(1_000), EVERY), Some(EVERY));
        assert_eq!(kept(75 * 1024, ms(14_900), EVERY), None, "in bursts, but enough");
        assert_eq!(kept(3 * 1024, ms(500), EVERY), None);
        assert_eq!(
            kept(42 * 1024, ms(5_250), EVERY),
            None,
            "a full queue on a line of 64 kbit/s"
        );
        // No patience, because it missed its ping.
        assert_eq!(kept(0, ms(100), Duration::ZERO), Some(Duration::ZERO));
    }
}
