//! What a room is, and what stretches of its log look like.

use std::sync::Arc;

use protocol::limits::{CATCH_UP_BYTES, CATCH_UP_EVENTS, HISTORY_BYTES, HISTORY_EVENTS};
use protocol::{Position, RoomEvent, RoomSlug, RoomTitle, Timestamp};

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

/// How much of a log is read at once: up to whichever of the two is reached first, but one event always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Events.
    pub events: u32,
    /// Bytes that they take as they travel; see [`RoomEvent::bytes`].
    pub bytes: usize,
}

impl Limit {
    /// A page of history, and what comes along with `join`.
    pub const HISTORY: Self = Self {
        events: HISTORY_EVENTS,
        bytes: HISTORY_BYTES,
    };
    /// What was missed, as far as it travels together.
    pub const CATCH_UP: Self = Self {
        events: CATCH_UP_EVENTS,
        bytes: CATCH_UP_BYTES,
    };

    /// That many events, however long they are.
    pub const fn events(events: u32) -> Self {
        Self {
            events,
            bytes: usize::MAX,
        }
    }
}

/// What of a stretch fits within a [`Limit`], event by event.
#[derive(Debug)]
pub struct Fill {
    left: Limit,
    empty: bool,
}

impl Fill {
    /// Nothing yet.
    pub fn new(limit: Limit) -> Self {
        Self {
            left: limit,
            empty: true,
        }
    }

    /// Whether the next event, of that many bytes, still fits. After the first that does not, none does.
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
    /// Where the log stood when the page was read, in the same view of it.
    pub head: Position,
    /// The events.
    pub events: Vec<Arc<RoomEvent>>,
    /// Whether there is more in the direction that was read: newer for `read`, older for `page`.
    pub more: bool,
}

impl Stretch {
    /// The events by value, as they travel.
    pub fn into_events(self) -> Vec<RoomEvent> {
        self.events.into_iter().map(Arc::unwrap_or_clone).collect()
    }
}

/// One connection of one person: what presence is counted by underneath.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConnectionId(pub Arc<str>);
