//! Whether "Connected" is true: a line can be dead without anybody saying so, and a machine that slept has not noticed
//! that time has passed.

/// How often to look, in milliseconds.
pub const LOOK_MS: u64 = 2_000;
/// Looked this much later than the last time, timers have stood still.
const STOOD_STILL_MS: u64 = 10_000;
/// Asked in doubt, the server answers within this time, or the line is dead.
pub const DOUBT_MS: u64 = 4_000;

/// When the server was last heard, and when somebody last looked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pulse {
    heard_at: u64,
    looked_at: Option<u64>,
}

impl Pulse {
    /// Something came from the server.
    pub fn heard(&mut self, now: u64) {
        self.heard_at = now;
    }

    /// A look at the clock. True: time has passed without us, and the server has to be asked whether it is still
    /// there. What nobody sees is looked at seldom, so that says nothing; when somebody looks again, it counts.
    pub fn look(&mut self, now: u64, visible: bool) -> bool {
        let Some(looked_at) = self.looked_at else {
            self.looked_at = Some(now);
            return false;
        };
        if !visible {
            return false;
        }
        self.looked_at = Some(now);
        // The clock may have been put back.
        now.saturating_sub(looked_at) > STOOD_STILL_MS
    }

    /// Whether nothing at all has come since a question was asked.
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
        assert!(!pulse.look(0, true));
        assert!(!pulse.look(2_000, true));
        assert!(pulse.look(60_000, true), "the machine slept");
        assert!(!pulse.look(62_000, true));
        assert!(!pulse.look(1_000, true), "the clock was put back");
    }

    #[test]
    fn a_page_that_nobody_sees_raises_doubt_when_somebody_looks() {
        let mut pulse = Pulse::default();
        pulse.look(0, true);
        assert!(!pulse.look(60_000, false));
        assert!(!pulse.look(120_000, false));
        assert!(pulse.look(121_000, true));
    }

    #[test]
    fn any_word_of_the_server_ends_the_doubt() {
        let mut pulse = Pulse::default();
        pulse.heard(1_000);
        assert!(pulse.silent_since(2_000));
        pulse.heard(2_500);
        assert!(!pulse.silent_since(2_000));
    }
}
