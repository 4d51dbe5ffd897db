//! Stops reading from a session while too much of what it sent is waiting.

use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures::task::AtomicWaker;

/// One session's brake.
#[derive(Debug, Default)]
pub struct Brake {
    on: AtomicBool,
    reader: AtomicWaker,
}

impl Brake {
    /// Stops reading until [`Brake::release`].
    pub fn pull(&self) {
        self.on.store(true, Ordering::Release);
    }

    pub fn release(&self) {
        if self.on.swap(false, Ordering::AcqRel) {
            self.reader.wake();
        }
    }

    /// Ready while the session may be read from.
    pub fn poll_released(&self, cx: &Context<'_>) -> Poll<()> {
        if self.on.load(Ordering::Acquire) {
            self.reader.register(cx.waker());
            if self.on.load(Ordering::Acquire) {
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }
}
