//! Keeps track of all lines, so that they end with the process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Something that must end with the process.
pub trait End: Send + Sync {
    /// Ends it.
    fn end(self: Arc<Self>);
}

/// All open lines. We end them ourselves at shutdown because the library runs no disconnect handlers then.
#[derive(Default)]
pub struct Lines(Mutex<Open>);

#[derive(Default)]
struct Open {
    stopped: bool,
    /// By address in memory, which is unique while a line is registered.
    lines: HashMap<usize, Weak<dyn End>>,
}

/// The key of a line: its address in memory.
pub fn key<T: ?Sized>(line: &Arc<T>) -> usize {
    Arc::as_ptr(line).addr()
}

impl Lines {
    /// Registers a line. Returns false if the process is stopping.
    pub fn enter(&self, line: &Arc<dyn End>) -> bool {
        let mut open = self.lock();
        if !open.stopped {
            open.lines.insert(key(line), Arc::downgrade(line));
        }
        !open.stopped
    }

    /// Removes a line that has ended.
    pub fn leave(&self, key: usize) {
        let mut open = self.lock();
        open.lines.remove(&key);
        // Release memory after a peak of connections.
        if open.lines.len() < open.lines.capacity() / 4 {
            open.lines.shrink_to_fit();
        }
    }

    /// Ends every line, and refuses later ones.
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
