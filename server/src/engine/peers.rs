//! The peers of all sessions, by session id.
//!
//! An extension of the request, which the library passes to every handler, would find the peer as well. But a table of
//! extensions with one entry takes 240 bytes per session; an entry here takes 50.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use socketioxide_core::Sid;

use super::peer::Peer;

/// The peers of open sessions.
#[derive(Default)]
pub struct Peers(RwLock<HashMap<Sid, Arc<Peer>>>);

impl Peers {
    /// The peer of a session, until its connection is gone.
    pub fn get(&self, sid: Sid) -> Option<Arc<Peer>> {
        self.read().get(&sid).cloned()
    }

    /// Adds the peer of an open session.
    pub fn enter(&self, sid: Sid, peer: &Arc<Peer>) {
        self.write().insert(sid, Arc::clone(peer));
    }

    /// Removes the peer of a session.
    pub fn leave(&self, sid: Sid) {
        let mut all = self.write();
        all.remove(&sid);
        // Release memory after a peak of sessions.
        if all.len() < all.capacity() / 4 {
            all.shrink_to_fit();
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<Sid, Arc<Peer>>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<Sid, Arc<Peer>>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}
