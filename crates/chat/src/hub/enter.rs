//! Enter a room without reading its log.

use protocol::RoomSlug;
use protocol::policy::Action;

use crate::door::{Asked, UseCase};
use crate::error::ChatError;

/// Enter a room. Entering again does nothing. Returns the number of people present.
pub struct Enter {
    /// The room's address.
    pub room: RoomSlug,
}

impl UseCase for Enter {
    type Answer = u32;
    const ACTION: Action = Action::BePresent;

    async fn run(self, asked: Asked<'_>) -> Result<u32, ChatError> {
        enter(asked, &self.room).await?;
        Ok(asked.hub.roster(&self.room).await?.here)
    }
}

pub(super) async fn enter(asked: Asked<'_>, room: &RoomSlug) -> Result<(), ChatError> {
    let connection = asked.connection()?;
    let person = asked.caller.signed_in()?;
    Ok(asked.hub.presence.enter(room, person, connection).await?)
}
