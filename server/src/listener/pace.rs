//! Whether a peer takes what waits for it: something at short intervals, and enough over a longer time.

use std::time::Duration;

use tokio::time::Instant;

/// Over this long a peer must take at least [`LEAST`], if something waits for it all the while.
const WINDOW: Duration = Duration::from_secs(30);
/// 4 KB per second: less than any telephone network of today gives.
const LEAST: u64 = 4 * 1024 * WINDOW.as_secs();

/// The pace of one peer, from when something begins to wait for it until nothing does.
pub struct Pace {
    stall: Duration,
    /// When it must have taken something.
    due: Instant,
    taken: u64,
    window: Instant,
    taken_before: u64,
}

impl Pace {
    /// A peer that has taken so much until now, and must take something within `first`, then every `stall`.
    pub fn new(now: Instant, taken: u64, first: Duration, stall: Duration) -> Self {
        Self {
            stall,
            due: now + first,
            taken,
            window: now + WINDOW,
            taken_before: taken,
        }
    }

    /// Whether the peer, which has taken so much until now, keeps up.
    pub fn keeps(&mut self, now: Instant, taken: u64) -> bool {
        if taken != self.taken {
            self.taken = taken;
            self.due = now + self.stall;
        }
        if now >= self.window {
            if taken - self.taken_before < LEAST {
                return false;
            }
            self.window = now + WINDOW;
            self.taken_before = taken;
        }
        now < self.due
    }

    /// When to look again, at the latest.
    pub fn due(&self) -> Instant {
        self.due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STALL: Duration = Duration::from_secs(5);

    /// How long a peer is kept that takes `bytes` every `every`; none: longer than 200 s.
    fn kept(bytes: u64, every: Duration) -> Option<Duration> {
        let start = Instant::now();
        let mut pace = Pace::new(start, 0, STALL, STALL);
        let mut taken = 0;
        for step in 1.. {
            let passed = every * step;
            if passed > Duration::from_secs(200) {
                break;
            }
            // It is looked at when it is due, and whenever it takes something.
            if start + passed > pace.due() && !pace.keeps(pace.due(), taken) {
                return Some(pace.due() - start);
            }
            taken += bytes;
            if !pace.keeps(start + passed, taken) {
                return Some(passed);
            }
        }
        None
    }

    #[test]
    fn a_peer_must_take_something_soon_and_enough_in_the_end() {
        let ms = Duration::from_millis;
        assert_eq!(kept(1 << 20, ms(6_000)), Some(STALL), "nothing for 5 s");
        assert_eq!(kept(1, ms(100)), Some(WINDOW), "a drip");
        assert_eq!(kept(2 * 1024, ms(1_000)), Some(WINDOW));
        assert_eq!(kept(20 * 1024, ms(4_900)), None, "slow, but enough");
        assert_eq!(kept(4 * 1024, ms(1_000)), None);
    }
}
