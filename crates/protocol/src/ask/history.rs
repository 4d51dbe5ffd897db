//! `history`: read a stretch of a room's log.

use serde::{Deserialize, Serialize};

use super::Ask;
use crate::event::RoomEvent;
use crate::ids::{Epoch, RoomSlug, Seq};

/// Read a stretch of a room's log. With `before`: the events right before that `seq`, at most 50. With `after`: the
/// events right after that `seq`, at most 500. With neither: the latest events, at most 50. With both:
/// `bad_request`. The size of an answer is limited too, so rely on `more`, not on the count.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct History {
    /// The room's address.
    pub room: RoomSlug,
    /// Return events with a smaller `seq` than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Seq>,
    /// Return events with a larger `seq` than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Seq>,
}

impl Ask for History {
    const NAME: &'static str = "history";
    type Answer = HistoryAnswer;
}

/// A stretch of a room's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct HistoryAnswer {
    /// The epoch of the log that `events` come from.
    pub epoch: Epoch,
    /// The events in order, without holes.
    pub events: Vec<RoomEvent>,
    /// True if there are more events in the requested direction: newer with `after`, older otherwise.
    pub more: bool,
}
