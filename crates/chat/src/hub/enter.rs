//! Enter a room without reading its log.

use protocol::limits::ROSTER_PEOPLE;
use protocol::policy::Action;
use protocol::{PresenceList, RoomSlug};

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
        Ok(enter(asked, &self.room).await?.here)
    }
}

/// Enters a room. Returns the people who are there then.
pub(super) async fn enter(asked: Asked<'_>, room: &RoomSlug) -> Result<PresenceList, ChatError> {
    let connection = asked.connection()?;
    let person = asked.caller.signed_in()?;
    let presence = &asked.hub.presence;
    let entered = presence
        .enter_and_list(room, person, connection, ROSTER_PEOPLE)
        .await;
    Ok(entered?)
}
