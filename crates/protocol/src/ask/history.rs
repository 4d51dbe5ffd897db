//! `history`: read older messages, or newer events.

use serde::{Deserialize, Serialize};

use super::Ask;
use crate::ids::{RoomSlug, Seq};
use crate::page::{EventStretch, MessagePage};

/// Read older messages, or newer events. With `before`: a page of the messages right before that `seq`, at most 50. With
/// `after`: the events right after that `seq`, at most 500. With neither: a page of the latest messages. With both:
/// `bad_request`. The size of an answer is limited too, so rely on `more`, not on the count.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct History {
    /// The room's address.
    pub room: RoomSlug,
    /// Return messages with a smaller `seq` than this.
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

/// A page without `after`, events with it. In JSON there is nothing around either.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum HistoryAnswer {
    /// Messages in their current form.
    Page(MessagePage),
    /// Events.
    Events(EventStretch),
}
