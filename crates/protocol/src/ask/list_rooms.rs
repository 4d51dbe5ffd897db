//! `list_rooms`: list the rooms, with the number of people in each.

use serde::{Deserialize, Serialize};

use super::Ask;
use crate::ids::{RoomSlug, Timestamp};
use crate::text::{RoomTitle, kept};

/// List the rooms, with the number of people in each.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ListRooms {}

impl Ask for ListRooms {
    const NAME: &'static str = "list_rooms";
    type Answer = RoomList;

    fn bare() -> Option<Self> {
        Some(Self {})
    }
}

/// The rooms: the lobby first, then the most recently active.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RoomList {
    /// At most 200 rooms. If there are more, rooms with people in them take precedence over empty ones.
    pub rooms: Vec<RoomSummary>,
    /// The number of all rooms, listed or not. Older servers do not send it.
    #[serde(default)]
    pub total: u32,
}

/// A room in the list of rooms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RoomSummary {
    /// The room's address.
    pub room: RoomSlug,
    /// The room's title.
    #[serde(deserialize_with = "kept")]
    pub title: RoomTitle,
    /// The number of people present now.
    pub here: u32,
    /// The time of the latest event; null if there is none.
    pub last_at: Option<Timestamp>,
}
