//! `list_rooms`: which rooms there are, and how many people are in each.

use serde::{Deserialize, Serialize};

use super::Ask;
use crate::ids::{RoomSlug, Timestamp};
use crate::text::{RoomTitle, kept};

/// List the rooms.
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
    /// At most 200. Where not all fit, rooms with people in them come before empty ones.
    pub rooms: Vec<RoomSummary>,
    /// How many rooms there are, listed or not. Servers of protocol 1 did not always say it.
    #[serde(default)]
    pub total: u32,
}

/// One line of the list of rooms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RoomSummary {
    /// The room's address.
    pub room: RoomSlug,
    /// What it is called.
    #[serde(deserialize_with = "kept")]
    pub title: RoomTitle,
    /// People present now.
    pub here: u32,
    /// The latest event's time, if there is one.
    pub last_at: Option<Timestamp>,
}
