//! Be present in a room, without asking for anything of it.

use protocol::RoomSlug;
use protocol::policy::Action;

use crate::door::{Asked, UseCase};
use crate::error::ChatError;

/// Enter a room, which does no harm if it has happened already. Answered with the number of people who are there.
pub struct Enter {
    /// Which room.
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
    let person = asked.caller.you()?;
    Ok(asked.hub.presence.enter(room, person, connection).await?)
}
