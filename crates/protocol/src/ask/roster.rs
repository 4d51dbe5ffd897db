//! `roster`: list the people in a room.

use serde::{Deserialize, Serialize};

use super::Ask;
use crate::ids::RoomSlug;
use crate::people::PresenceList;

/// List the people in a room. A person with several connections counts once.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Roster {
    /// The room's address.
    pub room: RoomSlug,
}

impl Ask for Roster {
    const NAME: &'static str = "roster";
    type Answer = PresenceList;
}
