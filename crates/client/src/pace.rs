//! Decides how often incoming changes are shown. In a busy room packets arrive faster than a slow machine can paint, so
//! changes are shown together, with pauses in which the machine can do other work.

/// The pause after showing changes, as a multiple of the time that this took.
const REST: u64 = 5;

/// The longest pause, in milliseconds: the most by which it delays a message.
const REST_MS: u64 = 1_000;

/// When to show incoming changes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    state: PaceState,
    rest_until: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum PaceState {
    /// Everything is shown.
    #[default]
    Idle,
    /// Showing is scheduled.
    Due,
    /// Changes were applied to the page and are being painted.
    Painting,
    /// More came in while painting.
    Behind,
}

impl Pace {
    /// Something came in. Returns the milliseconds after which to show it, or `None` if that is scheduled already.
    pub fn came(&mut self, now: u64) -> Option<u64> {
        match self.state {
            PaceState::Idle => {
                self.state = PaceState::Due;
                // Capped, in case the clock was set back.
                Some(self.rest_until.saturating_sub(now).min(REST_MS))
            }
            PaceState::Painting => {
                self.state = PaceState::Behind;
                None
            }
            PaceState::Due | PaceState::Behind => None,
        }
    }

    /// The changes are being applied to the page.
    pub fn shown(&mut self) {
        self.state = PaceState::Painting;
    }

    /// The changes are painted. True if more came in meanwhile: then call [`Pace::came`].
    pub fn painted(&mut self, began: u64, now: u64) -> bool {
        self.rest_until = now + (now.saturating_sub(began) * REST).min(REST_MS);
        std::mem::take(&mut self.state) == PaceState::Behind
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_room_shows_everything_at_once() {
        let mut pace = Pace::default();
        assert_eq!(pace.came(1_000), Some(0));
        pace.shown();
        assert!(!pace.painted(1_000, 1_010));
        assert_eq!(pace.came(2_000), Some(0));
    }

    #[test]
    fn changes_that_come_before_a_scheduled_showing_join_it() {
        let mut pace = Pace::default();
        assert_eq!(pace.came(1_000), Some(0));
        assert_eq!(pace.came(1_001), None);
    }

    #[test]
    fn showing_takes_a_sixth_of_the_time() {
        let mut pace = Pace::default();
        pace.came(1_000);
        pace.shown();
        assert_eq!(pace.came(1_005), None);
        assert!(pace.painted(1_000, 1_020));
        assert_eq!(pace.came(1_020), Some(100));
        assert_eq!(pace.came(1_030), None);
    }

    #[test]
    fn the_pause_is_capped_even_if_the_clock_jumps() {
        let mut pace = Pace::default();
        pace.came(10_000);
        pace.shown();
        pace.painted(10_000, 15_000);
        assert_eq!(pace.came(15_000), Some(REST_MS));
        pace.shown();
        pace.painted(15_000, 15_100);
        assert_eq!(pace.came(3), Some(REST_MS));
    }
}
