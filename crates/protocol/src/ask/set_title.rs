//! `set_title`: give a room another title.

use serde::{Deserialize, Serialize};

use super::{Ask, Receipt};
use crate::ids::{ClientId, RoomSlug};
use crate::text::RoomTitle;

/// Give a room another title. Its address stays. If you get no answer, send the same again: it is stored once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SetTitle {
    /// The room's address.
    pub room: RoomSlug,
    /// An id that the client chooses, different for everything that it stores in the room.
    pub client_id: ClientId,
    /// The new title.
    pub title: RoomTitle,
}

impl Ask for SetTitle {
    const NAME: &'static str = "set_title";
    type Answer = Receipt;
}
