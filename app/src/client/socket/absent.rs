//! Stands in on the server, where there is no socket.

use super::{Answer, Attempt, Incoming};

/// Opens the connection.
pub fn open(_attempt: Attempt, _handler: impl Fn(Incoming) + 'static) {}

/// Sets transport and deadline of the next attempt.
pub fn prepare(_attempt: Attempt) {}

/// Emits a command with its payload as JSON.
pub fn emit(_command: &str, _json: &str, _answer: Answer) {}

/// Connects again after a disconnection from which the library does not reconnect by itself.
pub fn connect() {}

/// Closes the connection.
pub fn disconnect() {}
