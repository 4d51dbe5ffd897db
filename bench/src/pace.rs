//! Keeps a schedule to a tenth of a millisecond. The runtime's timers count whole milliseconds, and their delay would
//! make every server seem slower, the fastest most of all.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Instant;

use tokio::sync::Notify;

/// A thread that sleeps for the runtime. It ends when this is dropped.
pub struct Pace {
    ask: Sender<Instant>,
    woken: Arc<Notify>,
}

impl Pace {
    /// Starts the thread.
    pub fn new() -> io::Result<Self> {
        let (ask, asked) = channel::<Instant>();
        let woken = Arc::new(Notify::new());
        let wake = Arc::clone(&woken);
        thread::Builder::new().spawn(move || {
            for until in asked {
                thread::sleep(until.saturating_duration_since(Instant::now()));
                wake.notify_one();
            }
        })?;
        Ok(Self { ask, woken })
    }

    /// Waits until this time. One wait at a time.
    pub async fn until(&mut self, time: Instant) -> io::Result<()> {
        self.ask.send(time).map_err(io::Error::other)?;
        self.woken.notified().await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn it_never_waits_too_little() {
        let mut pace = Pace::new().unwrap();
        for micros in [0, 300, 700, 100] {
            let until = Instant::now() + Duration::from_micros(micros);
            pace.until(until).await.unwrap();
            assert!(Instant::now() >= until);
        }
    }
}
