//! The machine's clock.

use std::time::{SystemTime, UNIX_EPOCH};

use chat::ports::Clock;
use protocol::Timestamp;

/// The operating system's time. It can jump, also backwards, so it orders nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // A clock before 1970 reads as 1970: the time is for display only, so this is not worth an error.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}
