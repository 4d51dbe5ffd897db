//! Who is in a room.

use protocol::limits::ROSTER_PEOPLE;
use protocol::{PresenceList, RoomSlug};

use super::Hub;
use crate::error::ChatError;

impl Hub {
    /// The people who are here, by name, and how many there are.
    ///
    /// # Errors
    /// If the backend does not answer.
    pub async fn roster(&self, room: &RoomSlug) -> Result<PresenceList, ChatError> {
        Ok(self.presence.roster(room, ROSTER_PEOPLE).await?)
    }
}
