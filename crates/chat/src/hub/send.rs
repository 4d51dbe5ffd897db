//! Send messages to a room.

use protocol::limits::BATCH_MESSAGES;
use protocol::{Outgoing, Person, Receipt, Receipts, RoomSlug, Send};

use super::Hub;
use crate::error::{ChatError, StoreError};

impl Hub {
    /// Whether these messages may be sent together, whoever sends them and through whichever door.
    ///
    /// # Errors
    /// Refused if there are none or too many, or one is too long for this server.
    pub fn admits(&self, messages: &[Outgoing]) -> Result<(), ChatError> {
        if !(1..=BATCH_MESSAGES).contains(&messages.len()) {
            return Err(super::bad_request(format!(
                "send 1 to {BATCH_MESSAGES} messages at a time, not {}",
                messages.len()
            )));
        }
        let most = self.message_chars;
        for message in messages {
            let chars = message.text.as_str().chars().count();
            if chars > most {
                return Err(super::bad_request(format!(
                    "this message has {chars} characters; the limit is {most}"
                )));
            }
        }
        Ok(())
    }

    /// Stores the messages in their order. The receipts are proof that they are durable.
    ///
    /// # Errors
    /// As for [`Hub::admits`]; [`crate::StoreError::NoSuchRoom`]; or the backend does not answer.
    pub async fn send(&self, author: &Person, send: Send) -> Result<Receipts, ChatError> {
        let Send { room, messages } = send;
        self.admits(&messages)?;
        Ok(Receipts {
            receipts: self.send_all(author, &room, messages).await?,
        })
    }

    /// Stores any number of messages in their order: several commands of one author that were ready together, each
    /// of them [admitted](Hub::admits).
    ///
    /// # Errors
    /// [`crate::StoreError::NoSuchRoom`], or the backend does not answer.
    pub async fn send_all(
        &self,
        author: &Person,
        room: &RoomSlug,
        messages: Vec<Outgoing>,
    ) -> Result<Vec<Receipt>, ChatError> {
        match self.log.append(room, author, messages, self.clock.now()).await {
            Err(StoreError::NoSuchRoom(missing)) if missing == RoomSlug::lobby() => {
                // The storage was emptied under us. The client sends again in a moment, and then there is a lobby.
                self.ensure_lobby().await?;
                Err(StoreError::Busy.into())
            }
            result => Ok(result?),
        }
    }
}
