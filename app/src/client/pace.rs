//! How often what comes in is shown. In a hot room packets come faster than a slow machine can paint, and nobody can read
//! them: what has come is shown together, and between two times the machine has time for everything else.

/// After showing took so long, so many times as long passes before it happens again.
const REST: u64 = 5;

/// The longest rest, in milliseconds: what is said is seen within it.
const REST_MS: u64 = 1_000;

/// When to show what has come in.
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
    /// It is going to be shown.
    Due,
    /// It was shown, and is being painted.
    Painting,
    /// Meanwhile more has come.
    Behind,
}

impl Pace {
    /// Something has come in: show it after so many milliseconds. Nothing, if that is going to happen already.
    pub fn came(&mut self, now: u64) -> Option<u64> {
        match self.state {
            PaceState::Idle => {
                self.state = PaceState::Due;
                // A clock that was set back must not make us wait for it.
                Some(self.rest_until.saturating_sub(now).min(REST_MS))
            }
            PaceState::Painting => {
                self.state = PaceState::Behind;
                None
            }
            PaceState::Due | PaceState::Behind => None,
        }
    }

    /// It is shown now.
    pub fn shown(&mut self) {
        self.state = PaceState::Painting;
    }

    /// It is painted. True: more has come meanwhile; say so with [`Pace::came`].
    pub fn painted(&mut self, began: u64, now: u64) -> bool {
        self.rest_until = now + (now.saturating_sub(began) * REST).min(REST_MS);
        std::mem::take(&mut self.state) == PaceState::Behind
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_quiet_room_everything_is_shown_at_once() {
        let mut pace = Pace::default();
        assert_eq!(pace.came(1_000), Some(0));
        pace.shown();
        assert!(!pace.painted(1_000, 1_010));
        assert_eq!(pace.came(2_000), Some(0));
    }

    #[test]
    fn what_comes_before_it_is_shown_needs_no_showing_of_its_own() {
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
    fn nothing_waits_long_whatever_the_clock_does() {
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
