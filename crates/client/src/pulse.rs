//! Detects dead connections: the browser may not report one, least of all after the device slept.

/// Interval between checks, in milliseconds.
pub const LOOK_MS: u64 = 2_000;
/// If a check comes this long after the previous one, timers were suspended. In milliseconds.
const STOOD_STILL_MS: u64 = 10_000;
/// If the server does not answer a probe within this time, the connection is dead. In milliseconds.
pub const DOUBT_MS: u64 = 4_000;

/// When something last came from the server, and when the last check was.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pulse {
    heard_at: u64,
    checked_at: Option<u64>,
}

impl Pulse {
    /// Something came from the server.
    pub fn heard(&mut self, now: u64) {
        self.heard_at = now;
    }

    /// Checks the clock. Returns true if timers were suspended, so that the connection must be probed. Browsers
    /// throttle the timers of hidden pages, so those checks do not count until the page is visible again.
    pub fn check(&mut self, now: u64, visible: bool) -> bool {
        let Some(checked_at) = self.checked_at else {
            self.checked_at = Some(now);
            return false;
        };
        if !visible {
            return false;
        }
        self.checked_at = Some(now);
        // The clock may have been set back.
        now.saturating_sub(checked_at) > STOOD_STILL_MS
    }

    /// True if nothing has come from the server since `asked_at`.
    pub fn silent_since(&self, asked_at: u64) -> bool {
        self.heard_at < asked_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_jumped_raises_doubt_once() {
        let mut pulse = Pulse::default();
        assert!(!pulse.check(0, true));
        assert!(!pulse.check(2_000, true));
        assert!(pulse.check(60_000, true), "the machine slept");
        assert!(!pulse.check(62_000, true));
        assert!(!pulse.check(1_000, true), "the clock was set back");
    }

    #[test]
    fn a_hidden_page_raises_doubt_when_it_is_visible_again() {
        let mut pulse = Pulse::default();
        pulse.check(0, true);
        assert!(!pulse.check(60_000, false));
        assert!(!pulse.check(120_000, false));
        assert!(pulse.check(121_000, true));
    }

    #[test]
    fn anything_from_the_server_ends_the_doubt() {
        let mut pulse = Pulse::default();
        pulse.heard(1_000);
        assert!(pulse.silent_since(2_000));
        pulse.heard(2_500);
        assert!(!pulse.silent_since(2_000));
    }
}
