//! Turns errors into refusals: malformed payloads, too many commands, and what the chat refuses.

mod payload;

pub use payload::{parse, read};

use std::time::Duration;

use chat::ChatError;
use protocol::{ErrorCode, Refusal};

/// Refuses a command because of the rate of its connection or address.
pub fn too_many_commands(wait: Duration) -> Refusal {
    Refusal::rate_limited("too many commands from you or your network", wait)
}

/// The code of a refusal, as it is on the wire.
pub fn code(refusal: &Refusal) -> String {
    let code = serde_json::to_value(refusal.code).ok();
    code.and_then(|code| code.as_str().map(ToOwned::to_owned))
        .unwrap_or_default()
}

/// Converts an error of the chat into a refusal. Failures of our own are logged here, once.
pub fn refuse(error: ChatError) -> Refusal {
    let refusal = Refusal::from(&error);
    if matches!(refusal.code, ErrorCode::Unavailable | ErrorCode::Internal) {
        tracing::error!(%error, "a command failed");
    }
    refusal
}
