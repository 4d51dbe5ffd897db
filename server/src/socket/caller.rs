//! What is kept of the request that opened a connection.
//!
//! The library keeps the request for as long as the connection lives, and with it whatever its parts point into: the
//! address and the headers are slices of the buffer that they were read into. So it gets a request that has nothing
//! but this.

use std::sync::Arc;

use chat::SessionDigest;
use http::request::Parts;
use socketioxide::extract::SocketRef;

use crate::engine::{Brake, Connects, Repeated};
use crate::listener::Wire;
use crate::proxies::ClientAddress;
use crate::state::State;

/// Who opened a connection.
#[derive(Clone)]
pub struct Caller {
    /// Where it comes from.
    pub address: ClientAddress,
    /// The session that its cookie shows.
    pub session: Option<SessionDigest>,
}

impl Caller {
    /// Who sent a request.
    pub fn read(state: &State, request: &Parts) -> Self {
        let address = request.extensions.get();
        Self {
            address: address.copied().unwrap_or(ClientAddress::UNKNOWN),
            session: state
                .sessions
                .read(&request.headers)
                .as_ref()
                .map(SessionDigest::of),
        }
    }

    /// Who opened this socket's connection.
    pub fn of(socket: &SocketRef) -> Self {
        let caller = socket.req_parts().extensions.get::<Self>();
        caller.cloned().unwrap_or(Self {
            address: ClientAddress::UNKNOWN,
            session: None,
        })
    }
}

/// The writing side of this socket's connection, if that is a WebSocket of its own.
pub fn wire(socket: &SocketRef) -> Option<&Arc<Wire>> {
    socket.req_parts().extensions.get()
}

/// Takes up the CONNECT that a middleware is called for: the payload, which may be empty.
///
/// # Errors
/// It has been taken up; the middleware fails with this error, and the client does not hear of it.
pub fn connect(socket: &SocketRef) -> Result<Box<str>, Repeated> {
    let connects = socket.req_parts().extensions.get::<Arc<Connects>>();
    connects.ok_or(Repeated)?.take(socket.ns())
}

/// What stops this socket's session from being read.
pub fn brake(socket: &SocketRef) -> Option<&Arc<Brake>> {
    socket.req_parts().extensions.get()
}
