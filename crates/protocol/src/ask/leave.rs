//! `leave`: be present in a room no more.

use serde::{Deserialize, Serialize};

use super::{Ask, Done};
use crate::ids::RoomSlug;

/// Leave a room. One that the connection is not in may be left, too.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Leave {
    /// Which room.
    pub room: RoomSlug,
}

impl Ask for Leave {
    const NAME: &'static str = "leave";
    type Answer = Done;
}
