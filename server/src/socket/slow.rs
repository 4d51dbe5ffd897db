//! What happens when a socket's queue is full: its connection is closed, never quietly skipped. It comes back and
//! resumes from its place.

use serde::Serialize;
use socketioxide::extract::SocketRef;
use socketioxide::{SendError, SocketError};

use super::caller::wire;
use crate::state::State;

/// Sends one event to one socket.
pub fn emit<T: Serialize>(state: &State, socket: &SocketRef, event: &str, data: &T) {
    check(state, socket, socket.emit(event, data));
}

/// What became of something that was sent to one socket.
pub fn check(state: &State, socket: &SocketRef, sent: Result<(), SendError>) {
    match sent {
        Ok(()) | Err(SendError::Socket(SocketError::Closed)) => {}
        Err(SendError::Socket(SocketError::InternalChannelFull)) => disconnect(state, socket),
        Err(SendError::Serialize(error)) => tracing::error!(%error, "could not encode an event"),
    }
}

/// Closes the connection of a socket that does not keep up.
pub fn disconnect(state: &State, socket: &SocketRef) {
    // Already on its way out.
    if wire(state, socket).is_some_and(|wire| wire.is_ended()) {
        return;
    }
    state.metrics.slow.inc();
    tracing::info!("a socket does not keep up; closing its connection");
    abort(state, socket);
}

/// Closes the connection of a socket that cannot be served any more: its client comes back and resumes.
pub fn abort(state: &State, socket: &SocketRef) {
    match wire(state, socket) {
        Some(wire) => wire.close(),
        // It has gone already.
        None => drop(socket.clone().disconnect()),
    }
}
