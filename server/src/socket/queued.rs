//! A command on its way from the client to its handler.

use protocol::Refusal;
use serde_json::value::RawValue;

use super::ack::Ack;

/// A command's one argument as JSON, or why it cannot be read.
pub type Payload = Result<Box<RawValue>, Refusal>;

/// A command that a client sent.
pub struct ReceivedCommand {
    /// The command's name, as on the wire.
    pub name: String,
    pub payload: Payload,
    /// Where to send the answer.
    pub ack: Ack,
}

/// A command that waits in a line.
pub struct Queued {
    pub command: ReceivedCommand,
    /// How many bytes of the line it uses.
    pub bytes: usize,
}
