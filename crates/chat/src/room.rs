//! What a room is, and what stretches of its log look like.

use std::sync::Arc;

use protocol::{Epoch, RoomEvent, RoomSlug, RoomTitle, Seq, Timestamp};

/// A room as the directory knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// Its address.
    pub slug: RoomSlug,
    /// What it is called.
    pub title: RoomTitle,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its latest event was stored, if there is one.
    pub last_at: Option<Timestamp>,
}

/// Where a log stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Which life of the log.
    pub epoch: Epoch,
    /// The latest event's place; [`Seq::ZERO`] in an empty room.
    pub seq: Seq,
}

/// A stretch of a log: ascending, without holes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Where the log stood when the page was read, in the same view of it.
    pub head: Head,
    /// The events.
    pub events: Vec<Arc<RoomEvent>>,
    /// Whether there is more in the direction that was read: newer for `read`, older for `page`.
    pub more: bool,
}

impl Page {
    /// The events by value, as they travel.
    pub fn into_events(self) -> Vec<RoomEvent> {
        self.events.into_iter().map(Arc::unwrap_or_clone).collect()
    }
}

/// One connection of one person: what presence is counted by underneath.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConnectionId(pub Arc<str>);
