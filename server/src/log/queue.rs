//! Lines on their way to standard error.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use prometheus_client::metrics::counter::Counter;

/// Bytes that may wait while standard error accepts nothing. Lines beyond this are dropped and counted.
const CAPACITY: usize = 1024 * 1024;
/// How often the writing thread checks for summaries that are due.
const TICK: Duration = Duration::from_secs(1);

/// Lines that could not be written.
pub static LOST: LazyLock<Counter> = LazyLock::new(Counter::default);

/// Lines waiting to be written. Pushing never blocks on standard error.
#[derive(Default)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    text: Vec<u8>,
    /// Lines lost since the last successful write.
    lost: u64,
    /// True while the thread is writing.
    writing: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Every change is a single call, so the state is consistent even if a thread panicked while holding the lock.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends a whole line, or counts it as lost.
    pub fn push(&self, line: &[u8]) {
        let mut waiting = self.lock();
        if waiting.text.len() + line.len() > CAPACITY {
            waiting.lose(1);
        } else {
            waiting.text.extend_from_slice(line);
            self.changed.notify_all();
        }
    }

    /// Waits until everything is written, but not longer than `within`.
    pub fn flush(&self, within: Duration) {
        let busy = |waiting: &mut Waiting| waiting.writing || !waiting.text.is_empty();
        // A timeout makes no difference: the process ends either way.
        let _ = self.changed.wait_timeout_while(self.lock(), within, busy);
    }

    /// Writes pushed lines, and those that `due` returns, for as long as the process lives.
    pub fn write_out(&self, out: &mut impl Write, due: impl Fn() -> Vec<String>) {
        loop {
            self.write_once(out, Instant::now() + TICK);
            for line in due() {
                self.push(line.as_bytes());
            }
        }
    }

    /// Writes what is waiting, or what arrives before `until`.
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
            // More lines may have been lost during the write.
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

/// Reports lost lines. Starts with a line break because the previous line may have been cut off.
fn report(out: &mut impl Write, lost: u64) -> io::Result<()> {
    if lost == 0 {
        return Ok(());
    }
    out.write_all(format!("\nhubbub: {lost} lines of the log could not be written\n").as_bytes())
}

/// Collects one event's line.
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

    /// Fails while it is full.
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
    fn lines_lost_to_a_full_disk_are_counted_and_reported_later() {
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
    fn a_stalled_standard_error_costs_lines_and_no_memory() {
        let queue = Queue::default();
        for _ in 0..CAPACITY {
            queue.push(b"one of many lines\n");
        }
        let waiting = queue.lock();
        assert!(waiting.text.len() <= CAPACITY && waiting.lost > 0);
    }
}
