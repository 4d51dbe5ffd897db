//! Turns errors into refusals: malformed JSON, and what the chat refuses.

use chat::ChatError;
use protocol::{ErrorCode, Refusal};
use serde::de::DeserializeOwned;

/// Reads a command, which must be a JSON object. The parser alone would also accept an array of the fields.
///
/// # Errors
/// As [`parse`].
pub fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, Refusal> {
    if json.trim_ascii_start().first() != Some(&b'{') {
        return Err(Refusal::new(
            ErrorCode::BadRequest,
            "a command must be a JSON object",
        ));
    }
    parse(json)
}

/// Reads JSON.
///
/// # Errors
/// If the text does not match. The sentence says what is wrong and where, and quotes nothing but field names.
pub fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(json).map_err(|error| Refusal::new(ErrorCode::BadRequest, error.to_string()))
}

/// Converts an error of the chat into a refusal. Failures of our own are logged here, once.
pub fn refuse(error: ChatError) -> Refusal {
    let refusal = Refusal::from(&error);
    if matches!(refusal.code, ErrorCode::Unavailable | ErrorCode::Internal) {
        tracing::error!(%error, "a command failed");
    }
    refusal
}
