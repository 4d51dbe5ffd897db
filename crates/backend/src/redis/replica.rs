//! One replica's handle to the Redis that all replicas share.

use std::sync::{Arc, Mutex, PoisonError};

use chat::StoreError;
use protocol::{Opaque, RoomSlug};
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;

use super::activity::Activity;
use super::heard::RoomState;
use super::keys::Keys;
use super::local_presence::LocalPresence;
use super::servers::{Servers, in_time};
use super::subscriptions::{RoomSubscription, Subscriptions};
use crate::ends::Ends;
use crate::ids::RandomIds;

/// A chat in one Redis. Implements [`chat::ports::RoomLog`], [`chat::ports::Directory`], [`chat::ports::Accounts`] and
/// [`chat::ports::Presence`]. Clones are the same replica.
///
/// Its methods need a tokio runtime with time and I/O, and none takes longer than a second. If the last clone is
/// dropped without [`Redis::close`], the replica's people stay in the rosters until its leases expire.
#[derive(Clone)]
pub struct Redis {
    pub(super) inner: Arc<Inner>,
}

pub struct Inner {
    pub(super) servers: Arc<Servers>,
    pub(super) subscriptions: Arc<Subscriptions>,
    pub(super) keys: Keys,
    /// This replica's id. Each start has another one.
    pub(super) replica: Opaque,
    pub(super) present: Arc<LocalPresence>,
    pub(super) appends: Semaphore,
    pub(super) activity: Arc<Activity>,
    pub(super) ends: Ends,
    pub(super) ids: RandomIds,
    pub(super) tasks: Mutex<Vec<AbortHandle>>,
}

impl Redis {
    /// Subscribes to a room: everything published after this returned arrives. Also returns the room's state.
    pub(super) async fn listen(&self, room: &RoomSlug) -> Result<(RoomSubscription, RoomState), StoreError> {
        let inner = &self.inner;
        let listening = async {
            let server = inner
                .servers
                .owner(&inner.keys.channel(room))
                .map_err(StoreError::failed)?;
            let mut subscription = inner.subscriptions.subscribe(room, &server.work);
            subscription.confirmed().await;
            let state = inner.room_state(room).await?;
            Ok((subscription, state))
        };
        in_time(listening).await
    }
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
        self.ends.close();
        self.subscriptions.close();
        self.servers.close();
    }
}
