//! One replica's part in the Redis that all of them share.

use std::sync::{Arc, Mutex, PoisonError};

use chat::StoreError;
use protocol::{Opaque, RoomSlug};
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;

use super::activity::Activity;
use super::heard::Standing;
use super::here::Here;
use super::keys::Keys;
use super::servers::{Servers, in_time};
use super::subscriptions::{Following, Subscriptions};
use crate::ends::Ends;
use crate::ids::RandomIds;

/// Everything in one Redis: implements [`chat::ports::RoomLog`], [`chat::ports::Directory`],
/// [`chat::ports::Accounts`] and [`chat::ports::Presence`]. A clone is another handle to the same replica.
///
/// Its methods need a tokio runtime with time and I/O, and none takes longer than a second. When the last handle goes
/// without [`Redis::close`], the replica's people stay in the lists until its leases are over.
#[derive(Clone)]
pub struct Redis {
    pub(super) inner: Arc<Inner>,
}

pub struct Inner {
    pub(super) servers: Arc<Servers>,
    pub(super) subscriptions: Arc<Subscriptions>,
    pub(super) keys: Keys,
    /// This replica, different with every start.
    pub(super) replica: Opaque,
    pub(super) here: Arc<Here>,
    pub(super) appends: Semaphore,
    pub(super) activity: Arc<Activity>,
    pub(super) ends: Ends,
    pub(super) ids: RandomIds,
    pub(super) tasks: Mutex<Vec<AbortHandle>>,
}

impl Redis {
    /// Follows a room: whatever is published after this returned arrives.
    pub(super) async fn listen(&self, room: &RoomSlug) -> Result<(Following, Standing), StoreError> {
        let inner = &self.inner;
        let listening = async {
            let server = inner
                .servers
                .owner(&inner.keys.channel(room))
                .map_err(StoreError::failed)?;
            let mut following = inner.subscriptions.follow(room, &server.work);
            following.confirmed().await;
            let standing = inner.stand(room).await?;
            Ok((following, standing))
        };
        in_time(listening).await
    }
}

impl Inner {
    /// Ends what runs by itself.
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
