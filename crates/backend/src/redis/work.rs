//! The rooms that a server's subscriber must check next.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use protocol::RoomSlug;
use tokio::sync::Notify;

/// Subscriptions sent at once.
const CHUNK: usize = 256;

/// The rooms whose subscription a server's subscriber must check. Never more than there are rooms.
pub struct Work {
    /// The server's host and port.
    pub address: String,
    rooms: Mutex<HashSet<RoomSlug>>,
    pub(super) more: Notify,
    pub(super) heard: AtomicBool,
    pub(super) elsewhere: Notify,
}

impl Work {
    /// No work yet, for the server at this address.
    pub fn new(address: String) -> Self {
        Self {
            address,
            rooms: Mutex::default(),
            more: Notify::new(),
            heard: AtomicBool::new(false),
            elsewhere: Notify::new(),
        }
    }

    fn rooms(&self) -> MutexGuard<'_, HashSet<RoomSlug>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a room.
    pub fn add(&self, room: &RoomSlug) {
        self.rooms().insert(room.clone());
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

    /// Replaces all rooms.
    pub(super) fn replace(&self, rooms: Vec<RoomSlug>) {
        *self.rooms() = rooms.into_iter().collect();
        self.more.notify_one();
    }

    /// Takes out some of the rooms.
    pub(super) fn take(&self) -> Vec<RoomSlug> {
        let mut rooms = self.rooms();
        let chunk: Vec<_> = rooms.iter().take(CHUNK).cloned().collect();
        for room in &chunk {
            rooms.remove(room);
        }
        if !rooms.is_empty() {
            self.more.notify_one();
        }
        chunk
    }
}
