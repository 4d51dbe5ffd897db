//! `history`: a stretch of a room's log.

use serde::{Deserialize, Serialize};

use super::Ask;
use crate::event::RoomEvent;
use crate::ids::{Epoch, RoomSlug, Seq};

/// Read a stretch of a room's log. With `before`: the page that ends there. With `after`: what follows it,
/// at most 500 events. With neither: the latest page. Both together are refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct History {
    /// Which room.
    pub room: RoomSlug,
    /// Events with a smaller `seq` than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Seq>,
    /// Events with a larger `seq` than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Seq>,
}

impl Ask for History {
    const NAME: &'static str = "history";
    type Answer = HistoryAnswer;
}

/// A page of a room's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct HistoryAnswer {
    /// The log's life that `events` belongs to.
    pub epoch: Epoch,
    /// In order, without holes.
    pub events: Vec<RoomEvent>,
    /// Whether there is more in the direction asked for: older (`before`, or neither), or newer (`after`).
    pub more: bool,
}
