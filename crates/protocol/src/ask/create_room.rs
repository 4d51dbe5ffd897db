//! `create_room`: create a public room.

use serde::{Deserialize, Serialize};

use super::{Ask, RoomSummary};
use crate::text::RoomTitle;

/// Create a room. The server derives the room's address from its title. If a room with the same title exists, the
/// answer is `room_exists`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CreateRoom {
    /// The room's title.
    pub title: RoomTitle,
}

impl Ask for CreateRoom {
    const NAME: &'static str = "create_room";
    type Answer = RoomSummary;
}
