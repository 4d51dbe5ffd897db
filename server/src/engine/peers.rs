//! The peers of all sessions, by session id.
//!
//! An extension of the request, which the library passes to every handler, would find the peer as well. But a table of
//! extensions with one entry takes 240 bytes per session; an entry here takes 50.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};

use socketioxide_core::Sid;

use super::peer::Peer;

/// The peers that something holds: the link of an open session, or one of its sockets, whose connect handler may run
/// only after the connection is gone.
#[derive(Clone, Default)]
pub struct Peers(Arc<RwLock<HashMap<Sid, Weak<Peer>>>>);

/// A peer's entry in the table. It is part of the peer, so it is removed with it.
pub struct Entry {
    peers: Peers,
    pub sid: Sid,
}

impl Peers {
    /// The peer of a session.
    pub fn get(&self, sid: Sid) -> Option<Arc<Peer>> {
        self.read().get(&sid).and_then(Weak::upgrade)
    }

    /// Adds the peer of an open session.
    pub fn enter(&self, sid: Sid, peer: &Arc<Peer>) {
        let peers = self.clone();
        peer.entry.get_or_init(|| Entry { peers, sid });
        self.write().insert(sid, Arc::downgrade(peer));
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<Sid, Weak<Peer>>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<Sid, Weak<Peer>>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut all = self.peers.write();
        all.remove(&self.sid);
        // Release memory after a peak of sessions.
        if all.len() < all.capacity() / 4 {
            all.shrink_to_fit();
        }
    }
}
