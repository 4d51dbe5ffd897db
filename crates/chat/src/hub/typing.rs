//! `typing`: tell a room that one is writing.

use protocol::policy::Action;
use protocol::{Done, Typing};

use crate::door::{Asked, UseCase};
use crate::error::ChatError;

impl UseCase for Typing {
    type Answer = Done;
    const ACTION: Action = Action::BePresent;

    /// Passes it on to whoever is there. Whether the caller's connection is there is known to whoever has it.
    async fn run(self, asked: Asked<'_>) -> Result<Done, ChatError> {
        let person = asked.caller.you()?;
        let Self { room, typing } = self;
        asked.hub.presence.typing(&room, person, typing).await?;
        Ok(Done {})
    }
}
