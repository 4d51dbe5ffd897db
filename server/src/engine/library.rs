//! The library that reads and writes sessions, and the engine that hands them to it.

use std::sync::Arc;

use socketioxide_core::Sid;

use super::gate::Rules;
use super::link::Link;
use super::peer::Peer;
use super::shared::{Given, Knows, Shared};
use crate::config::Limits;

/// The library that reads and writes the sessions.
pub trait Library: Knows {
    /// Takes over a new session, with a request that holds nothing of its client.
    fn take(&self, link: Box<Link>, request: http::Request<()>);
}

/// The engine of this process, in front of the library.
pub struct Engine {
    pub(super) shared: Arc<Shared>,
    library: Arc<dyn Library>,
}

/// The URI that the library sees for every session.
const OPEN: &str = "/socket.io/?EIO=4&transport=websocket";

impl Engine {
    /// An engine in front of `library`. `max_payload` limits the bytes of a message.
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

    /// The peer of a session, for as long as the connection or a socket holds it.
    pub fn peer(&self, sid: Sid) -> Option<Arc<Peer>> {
        self.shared.peers.get(sid)
    }

    /// Hands a new session to the library.
    pub(super) fn open(&self, link: Box<Link>) {
        let mut request = http::Request::new(());
        *request.uri_mut() = http::Uri::from_static(OPEN);
        self.library.take(link, request);
    }
}
