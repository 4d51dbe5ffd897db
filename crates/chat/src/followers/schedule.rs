//! Decides when a packet leaves: at once in a quiet room, together with what comes next in a hot one.

use std::time::Duration;

use super::pack::Pack;

/// What arrives in a hot room within this time leaves together.
const WINDOW: Duration = Duration::from_millis(25);
/// The time from one packet to the next, for each connection that is told. This is several times what telling it takes,
/// so that no room takes a whole core, and a few people who talk wait for nothing.
const GAP_EACH: Duration = Duration::from_micros(15);
/// The time added to [`GAP_EACH`] in a hot room. It grows with the number of events that left together…
const GAP_EACH_HOT: Duration = Duration::from_micros(35);
/// …up to this many.
const HOT: u32 = 8;
/// The resolution of a runtime's timers. A shorter wait would take longer than it should, so there is none as long as…
const TICK: Duration = Duration::from_millis(1);
/// …no more than this many events leave together.
const FEW: u32 = 2;
/// Arrivals and departures are told less often the more connections are told: this long for each of them…
const WINDOW_EACH: Duration = Duration::from_micros(200);
/// …up to this.
const WINDOW_LONGEST: Duration = Duration::from_secs(1);

/// When the next packets of a room may leave. Times count from any fixed moment.
pub struct Schedule {
    log_at: Duration,
    people_at: Duration,
}

/// What leaves now.
pub struct Leaving {
    /// The packet.
    pub pack: Pack,
    /// Whether it says who came and went.
    people: bool,
    since: Duration,
    events: usize,
}

impl Schedule {
    /// Nothing has left yet, so whatever comes first leaves at once.
    pub fn new(now: Duration) -> Self {
        Self {
            log_at: now,
            people_at: now,
        }
    }

    /// When part of `pack` leaves if nothing else is added. None if it is empty.
    pub fn due(&self, pack: &Pack) -> Option<Duration> {
        match (pack.is_quiet(), pack.is_lonely()) {
            (true, true) => None,
            (true, false) => Some(self.people_at),
            (false, true) => Some(self.log_at),
            (false, false) => Some(self.log_at.min(self.people_at)),
        }
    }

    /// Takes what leaves now out of `pack`; `all` of it if it cannot wait.
    pub fn take(&self, pack: &mut Pack, now: Duration, all: bool) -> Option<Leaving> {
        let people = !pack.is_lonely() && (all || now >= self.people_at);
        let log = all || (!pack.is_quiet() && now >= self.log_at);
        if !people && !log {
            return None;
        }
        let pack = if people {
            std::mem::take(pack)
        } else {
            pack.take_log()
        };
        Some(Leaving {
            events: pack.events.len(),
            pack,
            people,
            since: now,
        })
    }

    /// Notes that it has left, at this time, for this many `members`.
    pub fn left(&mut self, leaving: &Leaving, now: Duration, members: u32) {
        self.log_at = leaving.since + gap(leaving.events, members);
        if leaving.people {
            self.people_at = now + (WINDOW_EACH * members).clamp(WINDOW, WINDOW_LONGEST);
        }
    }
}

/// The time from one packet of a room to the next, after this many `events` left for this many `members`.
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
    fn a_packet_waits_longer_the_more_is_said_and_the_more_are_told() {
        let ms = Duration::from_millis;
        assert_eq!(gap(1, 20), ms(0), "a few people who talk wait for nothing");
        assert!((ms(0)..=ms(1)).contains(&gap(100, 20)) && !gap(100, 20).is_zero());
        assert!((ms(15)..ms(20)).contains(&gap(1, 1_000)));
        assert_eq!(gap(8, 1_000), WINDOW);
        assert_eq!(gap(200, 5_000), WINDOW, "never longer than this");
    }
}
