//! Access to the session that a socket belongs to.

use std::sync::Arc;

use socketioxide::extract::SocketRef;

use crate::engine::{Peer, Repeated};
use crate::live::Wire;
use crate::state::State;

/// The peer of this socket's session, as long as the connection or a handler of its sockets holds it.
pub fn peer(state: &State, socket: &SocketRef) -> Option<Arc<Peer>> {
    state.sockets.engine.peer(socket.id)
}

/// The writing side of this socket's connection, as long as [`peer`] finds it.
pub fn wire(state: &State, socket: &SocketRef) -> Option<Arc<Wire>> {
    peer(state, socket).map(|peer| Arc::clone(&peer.wire))
}

/// Takes the CONNECT that a middleware was called for. Returns the peer, and the payload, which may be empty.
///
/// # Errors
/// If the CONNECT was already taken. The middleware must fail with this error, which the client never sees.
pub fn connect(state: &State, socket: &SocketRef) -> Result<(Arc<Peer>, Box<str>), Repeated> {
    let peer = peer(state, socket).ok_or(Repeated)?;
    let auth = peer.connects.take(socket.ns())?;
    Ok((peer, auth))
}
