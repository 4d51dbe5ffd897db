//! The client of one session, as both sides of the Socket.IO library know it.

use std::sync::{Arc, OnceLock};

use socketioxide_core::Sid;

use super::brake::Brake;
use super::caller::Caller;
use super::connects::Connects;
use super::hand_over::HandOver;
use super::peers::{Entry, Peers};
use crate::live::Wire;

/// Shared by the [`Link`](super::Link) of a session and the handlers that the library calls for it.
///
/// [`Engine::peer`](super::Engine::peer) finds it by the session's id for as long as it exists.
pub struct Peer {
    /// Who opened the session.
    pub caller: Caller,
    /// Where frames for the client go.
    pub wire: Arc<Wire>,
    /// The CONNECT that is pending.
    pub connects: Connects,
    /// Values that middlewares leave for their connect handlers.
    pub handed: HandOver,
    /// Stops reading from the session.
    pub brake: Brake,
    /// Set once the library has assigned the session's id.
    entry: OnceLock<Entry<Peer>>,
}

impl Peer {
    /// The peer of a new session.
    pub fn new(caller: Caller, wire: Arc<Wire>) -> Arc<Self> {
        Arc::new(Self {
            caller,
            wire,
            connects: Connects::default(),
            handed: HandOver::default(),
            brake: Brake::default(),
            entry: OnceLock::new(),
        })
    }

    /// The library has assigned the session's id.
    pub fn enter(self: &Arc<Self>, peers: &Peers<Self>, sid: Sid) {
        self.entry.get_or_init(|| peers.enter(sid, self));
    }

    /// The session's id, once the library has assigned it.
    pub fn sid(&self) -> Option<Sid> {
        self.entry.get().map(|entry| entry.sid)
    }
}
