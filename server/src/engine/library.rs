//! The library behind us, and what gives it its sessions.

use std::sync::Arc;

use socketioxide_core::Sid;

use super::gate::Rules;
use super::link::Link;
use super::peer::Peer;
use super::shared::{Given, Knows, Shared};
use crate::config::Limits;

/// What reads and writes the sessions.
pub trait Library: Knows {
    /// Takes a new session, with a request that holds nothing of its client.
    fn take(&self, link: Box<Link>, request: http::Request<()>);
}

/// The sessions of this process.
pub struct Engine {
    pub(super) shared: Arc<Shared>,
    library: Arc<dyn Library>,
}

/// The request of every session, as far as the library needs to know.
const OPEN: &str = "/socket.io/?EIO=4&transport=websocket";

impl Engine {
    /// An engine in front of `library`. `max_payload` bounds a message.
    pub fn new(
        limits: &Limits,
        max_payload: usize,
        rules: Rules,
        library: Arc<dyn Library>,
        given: Given,
    ) -> Self {
        let knows: Arc<dyn Knows> = Arc::clone(&library) as _;
        let shared = Arc::new(Shared::new(limits, max_payload, rules, knows, given));
        Self { shared, library }
    }

    /// The client of a session, until its connection has ended.
    pub fn peer(&self, sid: Sid) -> Option<Arc<Peer>> {
        self.shared.peers.get(sid)
    }

    /// Hands a new session over.
    pub(super) fn open(&self, link: Box<Link>) {
        let mut request = http::Request::new(());
        *request.uri_mut() = http::Uri::from_static(OPEN);
        self.library.take(link, request);
    }
}
