//! `roster`: who is in a room.

use serde::{Deserialize, Serialize};

use super::Ask;
use crate::event::PresenceList;
use crate::ids::RoomSlug;

/// Ask who is in a room.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Roster {
    /// Which room.
    pub room: RoomSlug,
}

impl Ask for Roster {
    const NAME: &'static str = "roster";
    type Answer = PresenceList;
}
