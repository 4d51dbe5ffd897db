//! Decides when a packet leaves: at once in a quiet room, together with the next updates in a busy one.

use std::time::Duration;

use super::pack::Pack;

/// In a busy room, what arrives within this time leaves together.
const WINDOW: Duration = Duration::from_millis(25);
/// The time from one packet to the next, per connection in the room. Writing to a connection takes a fraction of it, so
/// no room can use a whole core, and a few people talking do not wait.
const GAP_EACH: Duration = Duration::from_micros(15);
/// The time added to [`GAP_EACH`] in a busy room. It grows with the number of events that left together…
const GAP_EACH_HOT: Duration = Duration::from_micros(35);
/// …up to this many.
const HOT: u32 = 8;
/// The resolution of a runtime's timers. A shorter wait would last longer than asked for, so there is none if…
const TICK: Duration = Duration::from_millis(1);
/// …at most this many events left together.
const FEW: u32 = 2;
/// The time from one packet about presence to the next, per connection in the room…
const WINDOW_EACH: Duration = Duration::from_micros(200);
/// …up to this much.
const WINDOW_LONGEST: Duration = Duration::from_secs(1);

/// When the next packets of a room may leave. Times are relative to any fixed moment.
pub struct Schedule {
    log_at: Duration,
    people_at: Duration,
}

/// A packet that leaves now.
pub struct Leaving {
    /// The packet.
    pub pack: Pack,
    /// True if it contains presence.
    people: bool,
    since: Duration,
    events: usize,
}

impl Schedule {
    /// A schedule by which the first packet leaves at once.
    pub fn new(now: Duration) -> Self {
        Self {
            log_at: now,
            people_at: now,
        }
    }

    /// When part of `pack` leaves if nothing is added. `None` if it is empty.
    pub fn due(&self, pack: &Pack) -> Option<Duration> {
        match (pack.has_no_log(), pack.has_no_presence()) {
            (true, true) => None,
            (true, false) => Some(self.people_at),
            (false, true) => Some(self.log_at),
            (false, false) => Some(self.log_at.min(self.people_at)),
        }
    }

    /// Takes out of `pack` what leaves now. `all`: take everything.
    pub fn take(&self, pack: &mut Pack, now: Duration, all: bool) -> Option<Leaving> {
        let people = !pack.has_no_presence() && (all || now >= self.people_at);
        let log = all || (!pack.has_no_log() && now >= self.log_at);
        if !people && !log {
            return None;
        }
        let pack = if people {
            std::mem::take(pack)
        } else {
            pack.take_log()
        };
        Some(Leaving {
            events: pack.entries.len(),
            pack,
            people,
            since: now,
        })
    }

    /// Records that a packet has been sent at `now` to this many `members`.
    pub fn left(&mut self, leaving: &Leaving, now: Duration, members: u32) {
        self.log_at = leaving.since + gap(leaving.events, members);
        if leaving.people {
            self.people_at = now + (WINDOW_EACH * members).clamp(WINDOW, WINDOW_LONGEST);
        }
    }
}

/// The time until a room's next packet, after one with this many `events` to this many `members`.
fn gap(events: usize, members: u32) -> Duration {
    let events = u32::try_from(events).unwrap_or(u32::MAX).min(HOT);
    let each = GAP_EACH + GAP_EACH_HOT * events / HOT;
    let gap = (each * members).min(WINDOW);
    if gap < TICK && events <= FEW {
        Duration::ZERO
    } else {
        gap
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_wait_longer_with_more_events_and_more_members() {
        let ms = Duration::from_millis;
        assert_eq!(gap(1, 20), ms(0), "a few people talking do not wait");
        assert!((ms(0)..=ms(1)).contains(&gap(100, 20)) && !gap(100, 20).is_zero());
        assert!((ms(15)..ms(20)).contains(&gap(1, 1_000)));
        assert_eq!(gap(8, 1_000), WINDOW);
        assert_eq!(gap(200, 5_000), WINDOW, "never longer than this");
    }
}
