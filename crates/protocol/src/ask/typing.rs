//! `typing`: tell a room that you are typing.

use serde::{Deserialize, Serialize};

use super::{Ask, Done};
use crate::ids::RoomSlug;

/// Tell a room that you are typing, or have stopped. Repeat it every few seconds while you type: clients forget it
/// after six seconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Typing {
    /// The room's address. The connection must have joined the room.
    pub room: RoomSlug,
    /// True if you are typing.
    pub typing: bool,
}

impl Ask for Typing {
    const NAME: &'static str = "typing";
    type Answer = Done;
}
