//! Deeds with their JSON, as it is stored.

use chat::StoreError;
use chat::ports::NewDeed;
use protocol::{ClientId, Deed};

/// A deed has no client id.
#[derive(Debug, thiserror::Error)]
#[error("a deed to store has no client id")]
struct Nameless;

/// Deeds with their JSON. Done in the caller's task, so that the writer has less to do.
pub fn with_json(deeds: Vec<NewDeed>) -> Result<Vec<(NewDeed, String)>, StoreError> {
    let with_json = |deed: NewDeed| {
        let json = serde_json::to_string(&deed.deed).map_err(StoreError::failed)?;
        Ok((deed, json))
    };
    deeds.into_iter().map(with_json).collect()
}

/// The client id of a deed, which every deed to store has.
pub fn client_id(deed: &Deed) -> Result<&ClientId, StoreError> {
    deed.client_id().ok_or_else(|| StoreError::failed(Nameless))
}
