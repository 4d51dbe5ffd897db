//! `typing`: tell a room that a person is typing.

use protocol::policy::Action;
use protocol::{Done, Typing};

use crate::door::{Asked, UseCase};
use crate::error::ChatError;

impl UseCase for Typing {
    type Answer = Done;
    const ACTION: Action = Action::BePresent;

    /// Tells the people in the room. The caller must have checked that the connection is in the room.
    async fn run(self, asked: Asked<'_>) -> Result<Done, ChatError> {
        let person = asked.caller.signed_in()?;
        let Self { room, typing } = self;
        asked.hub.presence.typing(&room, person, typing).await?;
        Ok(Done {})
    }
}
