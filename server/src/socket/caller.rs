//! Whose session a socket belongs to.

use std::sync::Arc;

use socketioxide::extract::SocketRef;

use crate::engine::{Peer, Repeated};
use crate::live::Wire;
use crate::state::State;

/// The client of this socket's session, until its connection has ended.
pub fn peer(state: &State, socket: &SocketRef) -> Option<Arc<Peer>> {
    state.sockets.engine.peer(socket.id)
}

/// The writing side of this socket's connection, until it has ended.
pub fn wire(state: &State, socket: &SocketRef) -> Option<Arc<Wire>> {
    peer(state, socket).map(|peer| Arc::clone(&peer.wire))
}

/// Takes up the CONNECT that a middleware is called for: whose it is, and its payload, which may be empty.
///
/// # Errors
/// It has been taken up; the middleware fails with this error, and the client does not hear of it.
pub fn connect(state: &State, socket: &SocketRef) -> Result<(Arc<Peer>, Box<str>), Repeated> {
    let peer = peer(state, socket).ok_or(Repeated)?;
    let auth = peer.connects.take(socket.ns())?;
    Ok((peer, auth))
}
