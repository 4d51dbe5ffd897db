//! The lines of the process, so that they end with it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Something that ends with the process.
pub trait End: Send + Sync {
    /// Ends.
    fn end(self: Arc<Self>);
}

/// The lines of the process: its end is theirs, and the library tells nobody of it.
#[derive(Default)]
pub struct Lines(Mutex<Open>);

#[derive(Default)]
struct Open {
    stopped: bool,
    /// By where they lie in memory: no two have the same place, as long as they are known here.
    lines: HashMap<usize, Weak<dyn End>>,
}

/// Where a line lies in memory.
pub fn place<T: ?Sized>(line: &Arc<T>) -> usize {
    Arc::as_ptr(line).addr()
}

impl Lines {
    /// Says whether it is known now; not if the process is ending.
    pub fn enter(&self, line: &Arc<dyn End>) -> bool {
        let mut open = self.lock();
        if !open.stopped {
            open.lines.insert(place(line), Arc::downgrade(line));
        }
        !open.stopped
    }

    /// It has ended by itself.
    pub fn leave(&self, place: usize) {
        let mut open = self.lock();
        open.lines.remove(&place);
        // A wave of people is not remembered in memory when it has gone.
        if open.lines.len() < open.lines.capacity() / 4 {
            open.lines.shrink_to_fit();
        }
    }

    /// Ends every line, and whatever comes later.
    pub fn end(&self) {
        let lines = {
            let mut open = self.lock();
            open.stopped = true;
            std::mem::take(&mut open.lines)
        };
        for line in lines.into_values().filter_map(|line| line.upgrade()) {
            line.end();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
