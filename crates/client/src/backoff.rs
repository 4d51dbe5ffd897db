//! How long to wait before trying again: longer each time, and differently for each client.

/// The first wait, in milliseconds.
const FIRST_MS: u64 = 1_000;
/// The longest delay added to a server's hint, in milliseconds.
const LATE_MS: u64 = 1_000;
/// The first wait doubles at most this many times, to 32 s.
const MAX_DOUBLINGS: u32 = 5;

/// Waits that grow until an attempt succeeds.
#[derive(Clone, Debug)]
pub struct Backoff {
    tries: u32,
    /// State of an xorshift generator: good enough to spread clients, and reproducible.
    random: u64,
}

impl Backoff {
    /// Clients with different seeds get different waits.
    pub fn new(seed: &str) -> Self {
        // FNV-1a.
        let random = seed.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self {
            tries: 0,
            random: random | 1,
        }
    }

    /// The next wait in milliseconds. `hint` is the wait that the server asked for. It may be a turn reserved for this
    /// client, so at most [`LATE_MS`] are added to it. It says nothing about the next wait: after many short ones, an
    /// answer that is lost must not cost a long one.
    pub fn next_ms(&mut self, hint: Option<u64>) -> u64 {
        let wait = hint.unwrap_or(FIRST_MS << self.tries.min(MAX_DOUBLINGS));
        let spread = wait / 2;
        let spread = if hint.is_some() {
            spread.min(LATE_MS)
        } else {
            spread
        };
        if hint.is_none() {
            self.tries = self.tries.saturating_add(1);
        }
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        wait + self.random % spread.max(1)
    }

    /// Records a success: the next wait is short again.
    pub fn worked(&mut self) {
        self.tries = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_differ_and_start_over() {
        let waits = |seed: &str| -> Vec<u64> {
            let mut backoff = Backoff::new(seed);
            (0..8).map(|_| backoff.next_ms(None)).collect()
        };
        let ada = waits("ada");
        for (n, wait) in ada.iter().enumerate() {
            let least = 1_000 << n.min(5);
            assert!((least..least + least / 2).contains(wait), "{n}: {wait}");
        }
        assert_ne!(ada, waits("grace"));
        assert_eq!(ada, waits("ada"));
        let mut backoff = Backoff::new("ada");
        backoff.next_ms(None);
        backoff.next_ms(None);
        backoff.worked();
        assert!(backoff.next_ms(None) < 1_500);
        let asked = backoff.next_ms(Some(20_000));
        assert!((20_000..21_000).contains(&asked));
        assert_eq!(backoff.next_ms(Some(0)), 0);
        backoff.worked();
        for _ in 0..8 {
            backoff.next_ms(Some(500));
        }
        assert!(backoff.next_ms(None) < 1_500, "hints do not count");
    }
}
