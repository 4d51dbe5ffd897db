//! Lines on their way to standard error.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use prometheus_client::metrics::counter::Counter;

/// Bytes that may wait while standard error takes nothing. Later lines are lost, and counted.
const CAPACITY: usize = 1024 * 1024;
/// How often the thread looks for something to write that nobody pushed.
const TICK: Duration = Duration::from_secs(1);

/// Lines that could not be written.
pub static LOST: LazyLock<Counter> = LazyLock::new(Counter::default);

/// Lines that wait. Pushing never blocks on standard error.
#[derive(Default)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    text: Vec<u8>,
    /// Lines lost since the last one that was written.
    lost: u64,
    /// Whether the thread is writing right now.
    writing: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Every change is one call: the state is whole, whatever happened to whoever held the lock.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a whole line, or counts it as lost.
    pub fn push(&self, line: &[u8]) {
        let mut waiting = self.lock();
        if waiting.text.len() + line.len() > CAPACITY {
            waiting.lose(1);
        } else {
            waiting.text.extend_from_slice(line);
            self.changed.notify_all();
        }
    }

    /// Waits until nothing waits any more.
    pub fn flush(&self, within: Duration) {
        let busy = |waiting: &mut Waiting| waiting.writing || !waiting.text.is_empty();
        // Too late is as good: the process ends either way.
        let _ = self.changed.wait_timeout_while(self.lock(), within, busy);
    }

    /// Writes what is pushed, and what is `due`, for as long as the process lives.
    pub fn write_out(&self, out: &mut impl Write, due: impl Fn() -> Vec<String>) {
        loop {
            self.write_once(out, Instant::now() + TICK);
            for line in due() {
                self.push(line.as_bytes());
            }
        }
    }

    /// Writes what waits, or whatever comes until then.
    fn write_once(&self, out: &mut impl Write, until: Instant) {
        let (text, lost) = {
            let wait = until.saturating_duration_since(Instant::now());
            let waited = self
                .changed
                .wait_timeout_while(self.lock(), wait, |waiting| waiting.text.is_empty());
            let (mut waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
            if waiting.text.is_empty() {
                return;
            }
            waiting.writing = true;
            (std::mem::take(&mut waiting.text), waiting.lost)
        };
        let written = report(out, lost).and_then(|()| out.write_all(&text));
        let mut waiting = self.lock();
        waiting.writing = false;
        match written {
            // Others may have been lost meanwhile.
            Ok(()) => waiting.lost -= lost,
            Err(_) => waiting.lose(text.iter().filter(|byte| **byte == b'\n').count() as u64),
        }
        self.changed.notify_all();
    }
}

impl Waiting {
    fn lose(&mut self, lines: u64) {
        self.lost += lines;
        LOST.inc_by(lines);
    }
}

/// Says what was lost before. The line before it may have been cut off.
fn report(out: &mut impl Write, lost: u64) -> io::Result<()> {
    if lost == 0 {
        return Ok(());
    }
    out.write_all(format!("\nhubbub: {lost} lines of the log could not be written\n").as_bytes())
}

/// Writes one event.
pub struct Line(pub Arc<Queue>);

impl Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails as long as it is full.
    #[derive(Default)]
    struct Disk {
        full: bool,
        text: Vec<u8>,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.full {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.text.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_a_full_disk_does_not_take_is_counted_and_said_later() {
        let (queue, mut disk) = (Queue::default(), Disk::default());
        let write = |disk: &mut Disk| queue.write_once(disk, Instant::now());
        disk.full = true;
        queue.push(b"one\ntwo\n");
        write(&mut disk);
        disk.full = false;
        queue.push(b"three\n");
        write(&mut disk);
        let text = String::from_utf8(disk.text).unwrap();
        assert!(
            text.contains("2 lines of the log could not be written") && text.ends_with("\nthree\n"),
            "{text}"
        );
    }

    #[test]
    fn a_standard_error_that_stands_still_costs_lines_and_no_memory() {
        let queue = Queue::default();
        for _ in 0..CAPACITY {
            queue.push(b"as many lines as anybody likes\n");
        }
        let waiting = queue.lock();
        assert!(waiting.text.len() <= CAPACITY && waiting.lost > 0);
    }
}
