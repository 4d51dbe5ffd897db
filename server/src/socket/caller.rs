//! What is kept of the request that opened a connection.
//!
//! The library keeps the request for as long as the connection lives, and with it whatever its parts point into: the
//! address and the headers are slices of the buffer that they were read into. So it gets a request that has nothing
//! but a [`Peer`].

use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chat::SessionDigest;
use http::request::Parts;
use socketioxide::extract::SocketRef;

use crate::engine::{Peer, Repeated};
use crate::live::Wire;
use crate::proxies::ClientAddress;
use crate::state::State;

/// Who opened a connection.
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
}

/// The client of this socket's session. Every session has one: [`Engine`](crate::engine::Engine) opens no other.
pub fn peer(socket: &SocketRef) -> Option<&Arc<Peer>> {
    socket.req_parts().extensions.get()
}

/// The writing side of this socket's connection.
pub fn wire(socket: &SocketRef) -> Option<&Arc<Wire>> {
    peer(socket).map(|peer| &peer.wire)
}

/// Takes up the CONNECT that a middleware is called for: whose it is, and its payload, which may be empty.
///
/// # Errors
/// It has been taken up; the middleware fails with this error, and the client does not hear of it.
pub fn connect(socket: &SocketRef) -> Result<(&Arc<Peer>, Box<str>), Repeated> {
    let peer = peer(socket).ok_or(Repeated)?;
    Ok((peer, peer.connects.take(socket.ns())?))
}

/// What a middleware leaves for the connect handler of the same socket.
///
/// A socket has extensions for this, but their table stays in memory after the last entry has been taken out.
#[derive(Default)]
pub struct HandOver(Mutex<Vec<(usize, Box<dyn Any + Send>)>>);

impl HandOver {
    /// Leaves something for this socket. It must not keep the session alive: if the handler is never called, it stays
    /// here until the session has gone.
    pub fn leave<T: Send + 'static>(&self, socket: &SocketRef, value: T) {
        self.leave_at(address(socket), value);
    }

    /// Takes what was left for this socket.
    pub fn take<T: 'static>(&self, socket: &SocketRef) -> Option<T> {
        self.take_at(address(socket))
    }

    fn leave_at<T: Send + 'static>(&self, address: usize, value: T) {
        let mut left = self.left();
        // What lies there belongs to a socket that was never connected, and is gone.
        left.retain(|(known, _)| *known != address);
        left.push((address, Box::new(value)));
    }

    fn take_at<T: 'static>(&self, address: usize) -> Option<T> {
        let mut left = self.left();
        let at = left.iter().position(|(known, _)| *known == address)?;
        let (_, value) = left.swap_remove(at);
        if left.is_empty() {
            // Empty again, it costs nothing.
            *left = Vec::new();
        }
        value.downcast().ok().map(|value| *value)
    }

    fn left(&self) -> MutexGuard<'_, Vec<(usize, Box<dyn Any + Send>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a socket lies in memory: no two that live have the same place, while the lives of a namespace in one session
/// all have the same id.
fn address(socket: &SocketRef) -> usize {
    std::ptr::from_ref(&**socket).addr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_socket_takes_its_own_and_once() {
        let handed = HandOver::default();
        handed.leave_at(1, "first");
        handed.leave_at(2, "second");
        assert_eq!(handed.take_at::<&str>(3), None);
        assert_eq!(handed.take_at(2), Some("second"));
        assert_eq!(handed.take_at::<&str>(2), None);
        assert_eq!(handed.take_at(1), Some("first"));
        assert_eq!(
            handed.left().capacity(),
            0,
            "an idle session keeps no memory for it"
        );
    }

    #[test]
    fn what_was_never_taken_gives_way_to_the_next_life() {
        let handed = HandOver::default();
        handed.leave_at(1, "of a socket that was never connected");
        handed.leave_at(1, "of its successor");
        assert_eq!(handed.take_at(1), Some("of its successor"));
        assert_eq!(handed.take_at::<&str>(1), None);
    }
}
