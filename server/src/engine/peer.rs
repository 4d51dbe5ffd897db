//! The client of one session, as known to both sides of the Socket.IO library.

use std::sync::Arc;

use super::brake::Brake;
use super::caller::Caller;
use super::connects::Connects;
use super::hand_over::HandOver;
use crate::live::Wire;

/// What the [`Link`](super::Link) of a session and the handlers that the library calls for it share.
///
/// It is known by the session's id ([`Engine::peer`](super::Engine::peer)) until the connection has ended.
pub struct Peer {
    /// Who opened the session.
    pub caller: Caller,
    /// Where frames for the client go.
    pub wire: Arc<Wire>,
    /// What the client asks to be connected to.
    pub connects: Connects,
    /// What its namespaces' middlewares leave for their connect handlers.
    pub handed: HandOver,
    /// What stops the session from being read.
    pub brake: Brake,
}

impl Peer {
    /// Of a new session.
    pub fn new(caller: Caller, wire: Arc<Wire>) -> Arc<Self> {
        Arc::new(Self {
            caller,
            wire,
            connects: Connects::default(),
            handed: HandOver::default(),
            brake: Brake::default(),
        })
    }
}
