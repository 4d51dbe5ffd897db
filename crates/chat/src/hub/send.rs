//! Send messages to a room.

use protocol::limits::BATCH_MESSAGES;
use protocol::{Person, Receipts, Send};

use super::Hub;
use crate::error::ChatError;

impl Hub {
    /// Stores the messages in their order. The receipts are proof that they are durable.
    ///
    /// # Errors
    /// Refused if there are none or too many; [`crate::StoreError::NoSuchRoom`]; or the backend does not answer.
    pub async fn send(&self, author: &Person, send: Send) -> Result<Receipts, ChatError> {
        let Send { room, messages } = send;
        if !(1..=BATCH_MESSAGES).contains(&messages.len()) {
            return Err(super::bad_request(format!(
                "send 1 to {BATCH_MESSAGES} messages at a time, not {}",
                messages.len()
            )));
        }
        let receipts = self.log.append(&room, author, messages, self.clock.now()).await?;
        Ok(Receipts { receipts })
    }
}
