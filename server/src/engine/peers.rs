//! The peers of all sessions, by session id.
//!
//! An extension of the request, which the library passes to every handler, would find the peer as well. But a table of
//! extensions with one entry takes 240 bytes per session; an entry here takes 50.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard, Weak};

use socketioxide_core::Sid;

/// The peers that something holds: the link of an open session, or one of its sockets, whose connect handler may run
/// only after the connection is gone.
pub struct Peers<P>(Arc<Table<P>>);

type Table<P> = RwLock<HashMap<Sid, Weak<P>>>;

/// A peer's entry in the table. It is part of the peer, so it is removed with it.
pub struct Entry<P> {
    peers: Arc<Table<P>>,
    pub sid: Sid,
}

impl<P> Default for Peers<P> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<P> Peers<P> {
    /// The peer of a session.
    pub fn get(&self, sid: Sid) -> Option<Arc<P>> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(&sid).and_then(Weak::upgrade)
    }

    /// Adds the peer of an open session. It stays in the table for as long as its entry exists.
    pub fn enter(&self, sid: Sid, peer: &Arc<P>) -> Entry<P> {
        write(&self.0).insert(sid, Arc::downgrade(peer));
        let peers = Arc::clone(&self.0);
        Entry { peers, sid }
    }
}

fn write<P>(table: &Table<P>) -> RwLockWriteGuard<'_, HashMap<Sid, Weak<P>>> {
    table.write().unwrap_or_else(PoisonError::into_inner)
}

impl<P> Drop for Entry<P> {
    fn drop(&mut self) {
        let mut all = write(&self.peers);
        all.remove(&self.sid);
        // Release memory after a peak of sessions.
        if all.len() < all.capacity() / 4 {
            all.shrink_to_fit();
        }
    }
}
