//! What a message becomes in a log.

use chat::StoreError;
use protocol::{EventBody, Outgoing};

/// A message's event.
pub fn body(message: &Outgoing) -> EventBody {
    EventBody::Posted {
        client_id: message.client_id.clone(),
        text: message.text.clone(),
    }
}

/// Messages with their events' JSON, as it is stored. Done in the caller's task, so that the writer has less to do.
pub fn with_json(messages: Vec<Outgoing>) -> Result<Vec<(Outgoing, String)>, StoreError> {
    let with_json = |message: Outgoing| {
        let json = serde_json::to_string(&body(&message)).map_err(StoreError::failed)?;
        Ok((message, json))
    };
    messages.into_iter().map(with_json).collect()
}
