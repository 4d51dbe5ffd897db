//! What happens when a socket's queue is full: it is disconnected, never quietly skipped. It comes back and resumes
//! from its place.

use std::time::Duration;

use serde::Serialize;
use socketioxide::extract::SocketRef;
use socketioxide::{SendError, SocketError};

use super::caller::wire;
use crate::state::State;

/// How often to try to tell a full socket that it is disconnected. After a while the missing pong ends it.
const RETRY: Duration = Duration::from_millis(250);
const RETRIES: u32 = 200;

/// Sends one event to one socket.
pub fn emit<T: Serialize>(state: &State, socket: &SocketRef, event: &str, data: &T) {
    check(state, socket, socket.emit(event, data));
}

/// What became of something that was sent to one socket.
pub fn check(state: &State, socket: &SocketRef, sent: Result<(), SendError>) {
    match sent {
        Ok(()) | Err(SendError::Socket(SocketError::Closed)) => {}
        Err(SendError::Socket(SocketError::InternalChannelFull)) => disconnect(state, socket.clone()),
        Err(SendError::Serialize(error)) => tracing::error!(%error, "could not encode an event"),
    }
}

/// Disconnects a socket that does not keep up.
pub fn disconnect(state: &State, socket: SocketRef) {
    // Already on its way out.
    if socket.extensions.insert(Leaving).is_some() {
        return;
    }
    state.metrics.slow.inc();
    tracing::info!("a socket does not keep up; disconnecting it");
    socket.leave_all();
    tokio::spawn(async move {
        for _ in 0..RETRIES {
            // Fails for as long as there is no room even for the goodbye.
            if !socket.connected() || socket.clone().disconnect().is_ok() {
                return;
            }
            tokio::time::sleep(RETRY).await;
        }
    });
}

/// Closes the connection of a socket that cannot be served any more: its client comes back and resumes.
pub fn abort(socket: &SocketRef) {
    match wire(socket) {
        Some(wire) => wire.close(),
        // It has gone already.
        None => drop(socket.clone().disconnect()),
    }
}

/// Marks a socket that is being disconnected.
#[derive(Clone)]
struct Leaving;
