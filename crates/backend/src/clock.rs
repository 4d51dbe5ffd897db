//! The machine's clock.

use std::time::{SystemTime, UNIX_EPOCH};

use chat::ports::Clock;
use protocol::Timestamp;

/// The time that the operating system tells. It may jump, also backwards: nothing is ordered by it.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // A clock before 1970 reads as 1970: a time for people's eyes is no reason to stop.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}
