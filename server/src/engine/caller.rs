//! What we keep of the request that opened a connection.
//!
//! The library keeps the request for the life of the connection, and with it the read buffer that the address and the
//! headers are slices of. So it gets an empty request, and the caller is part of the [`Peer`](super::Peer).

use chat::SessionDigest;
use http::request::Parts;

use crate::proxies::ClientAddress;
use crate::session::Sessions;

/// Who opened a connection.
pub struct Caller {
    /// The client's address.
    pub address: ClientAddress,
    /// The session of its cookie.
    pub session: Option<SessionDigest>,
}

impl Caller {
    /// Reads the caller from a request.
    pub fn read(sessions: &Sessions, request: &Parts) -> Self {
        let address = request.extensions.get();
        Self {
            address: address.copied().unwrap_or(ClientAddress::UNKNOWN),
            session: sessions.read(&request.headers).as_ref().map(SessionDigest::of),
        }
    }
}
