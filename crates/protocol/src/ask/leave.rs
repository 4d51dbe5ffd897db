//! `leave`: leave a room.

use serde::{Deserialize, Serialize};

use super::{Ask, Done};
use crate::ids::RoomSlug;

/// Leave a room. It is not an error to leave a room that the connection is not in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Leave {
    /// The room's address.
    pub room: RoomSlug,
}

impl Ask for Leave {
    const NAME: &'static str = "leave";
    type Answer = Done;
}
