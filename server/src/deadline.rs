//! By when a stop must be over.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::log::Log;

/// From the signal to the end of an orderly stop. We promise ten seconds.
const LIMIT: Duration = Duration::from_millis(7_500);
/// What the promise leaves for a process that is stuck: after it the process ends without an orderly stop.
const STUCK: Duration = Duration::from_millis(1_000);

/// By when everything must be over. Every step of a stop gets what the steps before it left.
#[derive(Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// Begins now, and ends the process if a thread or a disk stands still.
    pub fn begin(log: &Log) -> Self {
        let log = log.clone();
        // Not a task: the runtime may be what is stuck. Without a thread to spare, the stop is still orderly.
        let _ = std::thread::Builder::new().spawn(move || {
            std::thread::sleep(LIMIT + STUCK);
            log.say("hubbub: something is stuck; ending without it");
            log.finish();
            std::process::exit(1);
        });
        Self(Instant::now() + LIMIT)
    }

    /// Waits for `work`, but leaves `later` to what comes after it. None: it was not over by then.
    pub async fn leaving<T>(self, later: Duration, work: impl Future<Output = T>) -> Option<T> {
        timeout_at(self.0 - later, work).await.ok()
    }
}
