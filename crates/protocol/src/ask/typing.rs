//! `typing`: tell a room that one is writing.

use serde::{Deserialize, Serialize};

use super::{Ask, Done};
use crate::ids::RoomSlug;

/// Tell the room that you write, or stopped.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Typing {
    /// Which room; the connection must have joined it.
    pub room: RoomSlug,
    /// Whether you are writing.
    pub typing: bool,
}

impl Ask for Typing {
    const NAME: &'static str = "typing";
    type Answer = Done;
}
