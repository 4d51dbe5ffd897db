//! Rooms, and stretches of their logs.

use std::sync::Arc;

use protocol::limits::{CATCH_UP_BYTES, CATCH_UP_EVENTS, HISTORY_BYTES, HISTORY_EVENTS};
use protocol::{Position, RoomEvent, RoomSlug, RoomTitle, Timestamp};

/// A room as the directory knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// The room's address.
    pub slug: RoomSlug,
    /// The room's title.
    pub title: RoomTitle,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its latest event was stored; `None` if there is no event.
    pub last_at: Option<Timestamp>,
}

/// How much of a log is read at once: up to the limit that is reached first, but always at least one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The most events.
    pub events: u32,
    /// The most bytes of their JSON; see [`RoomEvent::bytes`].
    pub bytes: usize,
}

impl Limit {
    /// For `history` without `after`, and `join` without `from`.
    pub const HISTORY: Self = Self {
        events: HISTORY_EVENTS,
        bytes: HISTORY_BYTES,
    };
    /// For `history {after}` and `join {from}`.
    pub const CATCH_UP: Self = Self {
        events: CATCH_UP_EVENTS,
        bytes: CATCH_UP_BYTES,
    };

    /// This many events, of any size.
    pub const fn events(events: u32) -> Self {
        Self {
            events,
            bytes: usize::MAX,
        }
    }
}

/// Counts, event by event, what fits within a [`Limit`].
#[derive(Debug)]
pub struct Fill {
    left: Limit,
    empty: bool,
}

impl Fill {
    /// Starts with nothing counted.
    pub fn new(limit: Limit) -> Self {
        Self {
            left: limit,
            empty: true,
        }
    }

    /// Counts the next event, of this many bytes. Returns false if it does not fit; after that, nothing fits.
    pub fn take(&mut self, bytes: usize) -> bool {
        let fits = self.left.events > 0 && (self.empty || bytes <= self.left.bytes);
        if fits {
            self.empty = false;
            self.left.events -= 1;
            self.left.bytes = self.left.bytes.saturating_sub(bytes);
        } else {
            self.left = Limit { events: 0, bytes: 0 };
        }
        fits
    }
}

/// A stretch of a log: ascending, without holes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The log's head when the events were read, in the same view of the log.
    pub head: Position,
    /// The events of the stretch.
    pub events: Vec<Arc<RoomEvent>>,
    /// True if there are more events in the direction of reading: newer for `read`, older for `read_before`.
    pub more: bool,
}

impl Stretch {
    /// The events by value.
    pub fn into_events(self) -> Vec<RoomEvent> {
        self.events.into_iter().map(Arc::unwrap_or_clone).collect()
    }
}

/// A connection of a person. Presence is counted by connections.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConnectionId(pub Arc<str>);
