//! The deadline of a stop.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::log::Log;

/// From the signal to the end of an orderly stop. The documentation promises ten seconds.
const LIMIT: Duration = Duration::from_millis(7_500);
/// After this much more, a stuck process exits without an orderly stop.
const STUCK: Duration = Duration::from_millis(1_000);

/// When a stop must be over. Each step may use the time that earlier steps left.
#[derive(Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// Starts the deadline now. Exits the process if a stuck thread or disk prevents an orderly stop.
    pub fn begin(log: &Log) -> Self {
        let log = log.clone();
        // A thread, because the runtime itself may be stuck. If no thread can be started, the stop is still orderly.
        let _ = std::thread::Builder::new().spawn(move || {
            std::thread::sleep(LIMIT + STUCK);
            log.say("hubbub: something is stuck; ending without it");
            log.finish();
            std::process::exit(1);
        });
        Self(Instant::now() + LIMIT)
    }

    /// Waits for `work`, but reserves `later` for the following steps. Returns `None` if that time runs out.
    pub async fn leaving<T>(self, later: Duration, work: impl Future<Output = T>) -> Option<T> {
        timeout_at(self.0 - later, work).await.ok()
    }
}
