//! On the server there is no socket.

use super::{Answer, Attempt, Incoming};

/// Opens the connection.
pub fn open(_attempt: Attempt, _handler: impl Fn(Incoming) + 'static) {}

/// Makes the next attempt like this.
pub fn prepare(_attempt: Attempt) {}

/// Emits a command with its payload as JSON; the answer is nothing if none came in time.
pub fn emit(_command: &str, _json: &str, _answer: Answer) {}

/// Connects again after a disconnection that the library does not mend by itself.
pub fn connect() {}

/// Lets go of the connection.
pub fn disconnect() {}
