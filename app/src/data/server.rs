//! Where the server functions find the hub and the visitor, and what they make of failures.

use leptos::prelude::use_context;
use protocol::{ClientId, Person};

use super::PageError;
use crate::visitor::Visitor;

/// The chat itself.
pub fn hub() -> Result<chat::Hub, PageError> {
    use_context().ok_or_else(|| {
        tracing::error!("a page was rendered without a hub in its context");
        PageError::Unavailable
    })
}

/// Who asks.
pub fn you() -> Option<Person> {
    use_context::<Visitor>()?.you
}

/// What visitors are told of a failure. The cause stays in the log.
pub fn page_error(error: chat::ChatError) -> PageError {
    match error {
        chat::ChatError::Store(chat::StoreError::NoSuchRoom(_)) => PageError::NoSuchRoom,
        error => {
            tracing::warn!(%error, "a page could not be rendered");
            PageError::Unavailable
        }
    }
}

/// A fresh id for the message that a plain form may send.
pub fn client_id() -> Result<ClientId, PageError> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).map_err(|error| {
        tracing::error!(%error, "the system has no random numbers");
        PageError::Unavailable
    })?;
    Ok(ClientId::from_random(u128::from_le_bytes(bits)))
}
