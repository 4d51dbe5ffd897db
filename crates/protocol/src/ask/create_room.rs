//! `create_room`: open a room for everybody.

use serde::{Deserialize, Serialize};

use super::{Ask, RoomSummary};
use crate::text::RoomTitle;

/// Create a room. The server makes an address of the title.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CreateRoom {
    /// What the room is called.
    pub title: RoomTitle,
}

impl Ask for CreateRoom {
    const NAME: &'static str = "create_room";
    type Answer = RoomSummary;
}
