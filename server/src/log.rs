//! The log: one line per event on standard error.
//!
//! Logging must never harm the process. Lines go into a bounded [`queue`] that a thread of its own writes out, so a
//! full disk, a closed pipe or a stalled reader costs lines, not the process. [`filter`] decides what is logged,
//! [`repeats`] turns a flood of equal lines into one line and a count, and [`panics`] logs panics.

mod filter;
mod panics;
mod queue;
mod repeats;

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub use filter::parse;

use queue::{Line, Queue};
use repeats::Repeats;

/// How long the process waits at its end for unwritten lines.
const LAST_LINES: Duration = Duration::from_millis(500);

/// Everything that this process writes to standard error. Cloning gives another handle to the same queue.
#[derive(Clone)]
pub struct Log {
    queue: Arc<Queue>,
    repeats: Arc<Repeats>,
}

/// The log's counters in `/metrics`.
pub struct Counters {
    pub panics: Counter,
    pub lost: Counter,
}

impl Log {
    /// Starts the writing thread.
    ///
    /// # Errors
    /// If the system cannot start a thread.
    pub fn start() -> io::Result<Self> {
        let log = Self {
            queue: Arc::default(),
            repeats: Arc::default(),
        };
        let (queue, repeats) = (Arc::clone(&log.queue), Arc::clone(&log.repeats));
        let thread = std::thread::Builder::new().name("hubbub-log".to_owned());
        thread.spawn(move || queue.write_out(&mut io::stderr(), || repeats.due()))?;
        Ok(log)
    }

    /// Logs every event that passes the filter, and every panic.
    pub fn listen(&self, filter: tracing_subscriber::EnvFilter) {
        let queue = Arc::clone(&self.queue);
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(move || Line(Arc::clone(&queue)))
            .with_ansi(io::stderr().is_terminal())
            // The library would write to standard error itself, and panic if that fails.
            .log_internal_errors(false);
        let screen = filter::Screen(Arc::clone(&self.repeats));
        tracing_subscriber::registry()
            .with(layer)
            .with(filter)
            .with(screen)
            .init();
        panics::watch();
    }

    /// Writes a line that is not an event.
    pub fn say(&self, line: &str) {
        self.queue.push(format!("{line}\n").as_bytes());
    }

    /// Waits until everything is written, but not longer than [`LAST_LINES`].
    pub fn finish(&self) {
        for line in self.repeats.all() {
            self.queue.push(line.as_bytes());
        }
        self.queue.flush(LAST_LINES);
    }
}

/// The counters of this process.
pub fn counters() -> Counters {
    Counters {
        panics: panics::COUNT.clone(),
        lost: queue::LOST.clone(),
    }
}
