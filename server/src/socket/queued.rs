//! A command on its way from the client to whoever answers it.

use protocol::Refusal;
use serde_json::value::RawValue;

use super::ack::Ack;

/// A command's one argument as JSON, if it has one that may be read.
pub type Payload = Result<Box<RawValue>, Refusal>;

/// One command on its way to its handler.
pub struct Command {
    /// Its event name.
    pub name: String,
    /// Its one argument.
    pub payload: Payload,
    /// How it is answered.
    pub ack: Ack,
}

/// A command that waits.
pub struct Queued {
    /// The command.
    pub command: Command,
    /// How much of the line it takes.
    pub bytes: usize,
}
