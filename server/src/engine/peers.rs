//! The clients of all sessions, by session id.
//!
//! Handlers could also find the client in an extension of the request that the library keeps. But a table of extensions
//! with one entry takes 240 bytes per session; an entry here takes 50.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use socketioxide_core::Sid;

use super::peer::Peer;

/// The clients whose sessions are open.
#[derive(Default)]
pub struct Peers(RwLock<HashMap<Sid, Arc<Peer>>>);

impl Peers {
    /// The client of a session, until its connection has ended.
    pub fn get(&self, sid: Sid) -> Option<Arc<Peer>> {
        self.read().get(&sid).cloned()
    }

    /// Adds the client of a session that has been opened.
    pub fn enter(&self, sid: Sid, peer: &Arc<Peer>) {
        self.write().insert(sid, Arc::clone(peer));
    }

    /// Removes it.
    pub fn leave(&self, sid: Sid) {
        let mut all = self.write();
        all.remove(&sid);
        // Do not keep the memory of a wave of sessions that has ended.
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
