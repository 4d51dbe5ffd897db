//! Whose session a socket belongs to.

use std::sync::Arc;

use socketioxide::extract::SocketRef;

use crate::engine::{Peer, Repeated};
use crate::live::Wire;

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
