//! What is kept of the request that opened a connection.
//!
//! The library keeps the request for as long as the connection lives, and with it whatever its parts point into: the
//! address and the headers are slices of the buffer that they were read into. So it gets an empty request, and the
//! caller is part of the [`Peer`](super::Peer).

use chat::SessionDigest;
use http::request::Parts;

use crate::proxies::ClientAddress;
use crate::session::Sessions;

/// Who opened a connection.
pub struct Caller {
    /// Where it comes from.
    pub address: ClientAddress,
    /// The session that its cookie shows.
    pub session: Option<SessionDigest>,
}

impl Caller {
    /// Who sent a request.
    pub fn read(sessions: &Sessions, request: &Parts) -> Self {
        let address = request.extensions.get();
        Self {
            address: address.copied().unwrap_or(ClientAddress::UNKNOWN),
            session: sessions.read(&request.headers).as_ref().map(SessionDigest::of),
        }
    }
}
