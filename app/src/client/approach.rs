//! How the next attempt to connect is made: over WebSocket first; where that leads nowhere, over polling.
//!
//! Some networks refuse WebSockets, others let them open and swallow what is in them, or never answer. None of that
//! tells the library to try something else, so attempts end early and take turns.

/// An attempt has this long at first, in milliseconds.
const FIRST_MS: u32 = 4_000;
/// An attempt has this long at most: a slow network gets through too.
const MOST_MS: u32 = 20_000;

/// One attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Polling first, and WebSocket when that works; otherwise the other way round.
    pub polling: bool,
    /// How long it may take until the server has said `welcome`, in milliseconds.
    pub within_ms: u32,
}

/// What has been tried since the last connection.
#[derive(Clone, Copy, Debug, Default)]
pub struct Approach {
    polling: bool,
    failed: u32,
}

impl Approach {
    /// How to try now.
    pub fn attempt(self) -> Attempt {
        Attempt {
            polling: self.polling,
            // Both ways get the same time before it grows.
            within_ms: (FIRST_MS << (self.failed / 2).min(3)).min(MOST_MS),
        }
    }

    /// Whether it may be due to the way that an attempt ended so, before the server said `welcome`; `why` is the
    /// library's word. Where a way is plainly refused, the library has tried the other one already.
    pub fn blames_the_way(why: &str) -> bool {
        matches!(
            why,
            "timeout" | "transport close" | "transport error" | "ping timeout" | "parse error"
        )
    }

    /// That led nowhere.
    pub fn failed(&mut self) {
        self.polling = !self.polling;
        self.failed += 1;
    }

    /// It works; the next time the same way is tried first.
    pub fn worked(&mut self) {
        self.failed = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_take_turns_and_get_more_time() {
        let mut approach = Approach::default();
        let mut tried = Vec::new();
        for _ in 0..8 {
            let Attempt { polling, within_ms } = approach.attempt();
            tried.push((polling, within_ms));
            approach.failed();
        }
        let ms: Vec<_> = tried.iter().map(|(_, ms)| ms / 1_000).collect();
        assert_eq!(ms, [4, 4, 8, 8, 16, 16, 20, 20]);
        assert!(
            tried
                .iter()
                .enumerate()
                .all(|(n, (polling, _))| *polling == (n % 2 == 1))
        );
        assert!(
            tried[..2].iter().map(|(_, ms)| ms).sum::<u32>() < 10_000,
            "both ways within 15 s, pauses included"
        );
    }

    #[test]
    fn what_worked_is_tried_first() {
        let mut approach = Approach::default();
        approach.failed();
        approach.worked();
        assert_eq!(
            approach.attempt(),
            Attempt {
                polling: true,
                within_ms: FIRST_MS
            }
        );
    }
}
