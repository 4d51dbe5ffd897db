//! Chooses the transport for the next connection attempt: WebSocket first, then polling, alternately until one works.
//!
//! Some networks refuse WebSockets; others let them open and drop their traffic, or never answer. Socket.IO does not
//! fall back to another transport by itself in those cases, so attempts have a short deadline and alternate.

/// Deadline of the first attempts, in milliseconds.
const FIRST_MS: u32 = 4_000;
/// Longest deadline, in milliseconds: enough for a slow network.
const MAX_MS: u32 = 20_000;

/// One connection attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Start with polling and upgrade to WebSocket. If false, start with WebSocket.
    pub polling: bool,
    /// Deadline for the server's `welcome`, in milliseconds.
    pub within_ms: u32,
}

/// The attempts since the last successful connection.
#[derive(Clone, Copy, Debug, Default)]
pub struct Approach {
    polling: bool,
    failed: u32,
}

impl Approach {
    /// The attempt to make next.
    pub fn attempt(self) -> Attempt {
        Attempt {
            polling: self.polling,
            // Both transports get the same deadline before it grows.
            within_ms: (FIRST_MS << (self.failed / 2).min(3)).min(MAX_MS),
        }
    }

    /// True if the transport may be the reason that an attempt ended before `welcome`. `reason` comes from
    /// socket.io-client, which has already tried the other transport if this one was refused outright.
    pub fn blames_transport(reason: &str) -> bool {
        matches!(
            reason,
            "timeout" | "transport close" | "transport error" | "ping timeout" | "parse error"
        )
    }

    /// Records a failed attempt: the next one uses the other transport.
    pub fn failed(&mut self) {
        self.polling = !self.polling;
        self.failed += 1;
    }

    /// Records a connection: the same transport is tried first next time.
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
            "both transports within 15 s, pauses included"
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
