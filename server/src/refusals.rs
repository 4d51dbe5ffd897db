//! What cannot be read, and what the chat refuses, as it travels.

use chat::ChatError;
use protocol::{ErrorCode, Refusal};
use serde::de::DeserializeOwned;

/// A command as what it is documented to be: an object. The parser alone would also take an array of its members.
///
/// # Errors
/// As [`parse`].
pub fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, Refusal> {
    if json.trim_ascii_start().first() != Some(&b'{') {
        return Err(Refusal::new(ErrorCode::BadRequest, "a command is a JSON object"));
    }
    parse(json)
}

/// JSON as what it is documented to be.
///
/// # Errors
/// The sentence says what is wrong and where; it repeats nothing of the text but names of fields.
pub fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(json).map_err(|error| Refusal::new(ErrorCode::BadRequest, error.to_string()))
}

/// A refusal of the chat as it travels; what is our own fault is logged here, once.
pub fn refuse(error: ChatError) -> Refusal {
    let refusal = Refusal::from(&error);
    if matches!(refusal.code, ErrorCode::Unavailable | ErrorCode::Internal) {
        tracing::error!(%error, "a command failed");
    }
    refusal
}
