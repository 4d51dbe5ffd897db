//! Tell a room that one is writing.

use protocol::{Person, SetTyping};

use super::Hub;
use crate::error::ChatError;

impl Hub {
    /// Passes it on to whoever is there.
    ///
    /// # Errors
    /// If the backend does not answer.
    pub async fn typing(&self, person: &Person, typing: &SetTyping) -> Result<(), ChatError> {
        Ok(self.presence.typing(&typing.room, person, typing.typing).await?)
    }
}
