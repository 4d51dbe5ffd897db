//! One replica's handle to the Redis that all replicas share.

use std::sync::{Arc, Mutex, PoisonError};

use protocol::Opaque;
use tokio::task::AbortHandle;

use super::keys::Keys;
use super::local_presence::LocalPresence;
use super::servers::Servers;
use super::subscriptions::{Subscription, Subscriptions};
use crate::ids::RandomIds;

/// What replicas tell each other through one Redis. Implements [`crate::Bus`] and [`chat::ports::Presence`]. Clones are
/// the same replica.
///
/// Its methods need a tokio runtime with time and I/O, except those of [`crate::Bus`] that never block. None takes
/// longer than a second. If the last clone is dropped without [`Redis::close`], the replica's people stay in the rosters
/// until its leases expire.
#[derive(Clone)]
pub struct Redis {
    pub(super) inner: Arc<Inner>,
}

pub struct Inner {
    pub(super) servers: Arc<Servers>,
    pub(super) subscriptions: Arc<Subscriptions>,
    /// Every replica hears at all times what concerns all of them.
    pub(super) _replicas: Subscription,
    pub(super) keys: Keys,
    /// This replica's id. Each start has another one.
    pub(super) replica: Opaque,
    pub(super) present: Arc<LocalPresence>,
    pub(super) ids: RandomIds,
    pub(super) tasks: Mutex<Vec<AbortHandle>>,
}

impl Inner {
    /// Ends the background tasks.
    pub(super) fn stop(&self) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        for task in tasks.drain(..) {
            task.abort();
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop();
        self.subscriptions.close();
        self.servers.close();
    }
}
