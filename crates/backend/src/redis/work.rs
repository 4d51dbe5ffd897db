//! The topics that a server's subscriber must check next.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::keys::Topic;

/// Subscriptions sent at once.
const CHUNK: usize = 256;

/// The topics whose subscription a server's subscriber must check. Never more than there are topics.
pub struct Work {
    /// The server's host and port.
    pub address: String,
    topics: Mutex<HashSet<Topic>>,
    pub(super) more: Notify,
    pub(super) heard: AtomicBool,
    pub(super) elsewhere: Notify,
}

impl Work {
    /// No work yet, for the server at this address.
    pub fn new(address: String) -> Self {
        Self {
            address,
            topics: Mutex::default(),
            more: Notify::new(),
            heard: AtomicBool::new(false),
            elsewhere: Notify::new(),
        }
    }

    fn topics(&self) -> MutexGuard<'_, HashSet<Topic>> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a topic.
    pub fn add(&self, topic: &Topic) {
        self.topics().insert(topic.clone());
        self.more.notify_one();
    }

    /// Reconnects, because the server's address leads to another server now.
    pub fn follow_elsewhere(&self) {
        self.elsewhere.notify_one();
    }

    /// True if a connection receives what the server publishes.
    pub fn is_heard(&self) -> bool {
        self.heard.load(Ordering::Relaxed)
    }

    /// Replaces all topics.
    pub(super) fn replace(&self, topics: Vec<Topic>) {
        *self.topics() = topics.into_iter().collect();
        self.more.notify_one();
    }

    /// Takes out some of the topics.
    pub(super) fn take(&self) -> Vec<Topic> {
        let mut topics = self.topics();
        let chunk: Vec<_> = topics.iter().take(CHUNK).cloned().collect();
        for topic in &chunk {
            topics.remove(topic);
        }
        if !topics.is_empty() {
            self.more.notify_one();
        }
        chunk
    }
}
