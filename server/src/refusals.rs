//! Turns errors into refusals: malformed payloads, and what the chat refuses.

mod payload;

pub use payload::{parse, read};

use std::time::Duration;

use chat::ChatError;
use protocol::{ErrorCode, Refusal};

/// Converts an error of the chat into a refusal. Failures of our own are logged here, once.
pub fn refuse(error: ChatError) -> Refusal {
    let refusal = Refusal::from(&error);
    if matches!(refusal.code, ErrorCode::Unavailable | ErrorCode::Internal) {
        tracing::error!(%error, "a command failed");
    }
    refusal
}

/// The refusal of a command over the rate. Rounds up, so that a client that waits exactly this long is not early.
pub fn too_many_commands(wait: Duration) -> Refusal {
    let ms = u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
    Refusal::new(ErrorCode::RateLimited, "too many commands; wait a moment").retry_after_ms(ms)
}
