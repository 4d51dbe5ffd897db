//! `roster`: list the people in a room.

use protocol::limits::ROSTER_PEOPLE;
use protocol::policy::Action;
use protocol::{PresenceList, RoomSlug, Roster};

use super::Hub;
use crate::door::{Asked, UseCase};
use crate::error::ChatError;

impl UseCase for Roster {
    type Answer = PresenceList;
    const ACTION: Action = Action::Read;

    async fn run(self, asked: Asked<'_>) -> Result<PresenceList, ChatError> {
        asked.hub.room(&self.room).await?;
        asked.hub.roster(&self.room).await
    }
}

impl Hub {
    /// The people in a room, sorted by name, with their count.
    pub(crate) async fn roster(&self, room: &RoomSlug) -> Result<PresenceList, ChatError> {
        Ok(self.presence.roster(room, ROSTER_PEOPLE).await?)
    }
}
