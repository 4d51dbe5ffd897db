//! Whether a peer takes what waits for it fast enough.

use std::time::Duration;

use tokio::time::Instant;

/// Bytes per second that a peer must take of what waits for it: less than any telephone network of today gives.
pub const LEAST: u64 = 4 * 1024;

/// The pace of one peer, from when something begins to wait for it until nothing does.
pub struct Pace {
    /// How often it is looked at.
    every: Duration,
    since: Instant,
    due: Instant,
    /// What the peer had taken then.
    before: u64,
}

impl Pace {
    /// Of a peer that has taken so much until now. It is looked at after `first`, then `every` so often.
    pub fn new(now: Instant, taken: u64, first: Duration, every: Duration) -> Self {
        Self {
            every,
            since: now,
            due: now + first,
            before: taken,
        }
    }

    /// Whether the peer, which has taken so much until now, keeps up.
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

    /// When to look again.
    pub fn due(&self) -> Instant {
        self.due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = crate::live::wire::STALL;

    /// How long a peer is kept that takes `bytes` every `step`; none: longer than 200 s.
    fn kept(bytes: u64, step: Duration, first: Duration) -> Option<Duration> {
        let start = Instant::now();
        let mut pace = Pace::new(start, 7, first, EVERY);
        let mut taken = 7;
        for n in 1..2_000 {
            let passed = step * n;
            if passed > Duration::from_secs(200) {
                break;
            }
            // It is looked at when it is due, and also whenever it takes something.
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
    fn what_was_missed_arrives_before_the_ping_behind_it_is_missed() {
        let (interval, timeout) = crate::config::Config::parse(|_| None).unwrap().limits.ping;
        let takes = protocol::limits::CATCH_UP_BYTES as u64 / LEAST;
        assert!(takes < (interval + timeout).as_secs(), "{takes} s");
    }

    #[test]
    fn a_peer_must_take_enough_all_the_time() {
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
        // No time at all, because it has missed its ping.
        assert_eq!(kept(0, ms(100), Duration::ZERO), Some(Duration::ZERO));
    }
}
