//! Leave a room: on request, or because the connection ended.

use protocol::{PersonId, RoomSlug};

use super::Hub;
use crate::error::ChatError;
use crate::room::ConnectionId;

impl Hub {
    /// The connection is no longer in the room.
    ///
    /// # Errors
    /// If the backend does not answer.
    pub async fn leave(
        &self,
        person: &PersonId,
        connection: &ConnectionId,
        room: &RoomSlug,
    ) -> Result<(), ChatError> {
        Ok(self.presence.leave(room, person, connection).await?)
    }
}
