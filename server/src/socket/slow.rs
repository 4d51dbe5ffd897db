//! Closes a connection whose queue is full, instead of silently skipping packets. The client reconnects and catches
//! up.

use serde::Serialize;
use socketioxide::extract::SocketRef;
use socketioxide::{SendError, SocketError};

use super::caller::wire;
use crate::state::State;

/// Sends an event to one socket.
pub fn emit<T: Serialize>(state: &State, socket: &SocketRef, event: &str, data: &T) {
    check(state, socket, socket.emit(event, data));
}

/// Handles the result of sending to one socket.
pub fn check(state: &State, socket: &SocketRef, sent: Result<(), SendError>) {
    match sent {
        Ok(()) | Err(SendError::Socket(SocketError::Closed)) => {}
        Err(SendError::Socket(SocketError::InternalChannelFull)) => disconnect(state, socket),
        Err(SendError::Serialize(error)) => tracing::error!(%error, "could not encode an event"),
    }
}

/// Closes the connection of a socket that does not keep up.
pub fn disconnect(state: &State, socket: &SocketRef) {
    // The connection is already closing.
    if wire(state, socket).is_some_and(|wire| wire.is_ended()) {
        return;
    }
    state.metrics.slow.inc();
    tracing::info!("a socket does not keep up; closing its connection");
    abort(state, socket);
}

/// Closes the connection of a socket that cannot be served. The client reconnects and catches up.
pub fn abort(state: &State, socket: &SocketRef) {
    match wire(state, socket) {
        Some(wire) => wire.close(),
        // The connection is already gone.
        None => drop(socket.clone().disconnect()),
    }
}
