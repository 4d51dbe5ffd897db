//! Rooms, and stretches of their logs.

use std::sync::Arc;

use protocol::limits::{CATCH_UP_BYTES, CATCH_UP_EVENTS, HISTORY_BYTES, HISTORY_MESSAGES};
use protocol::{LogEvent, MessagePage, Person, Position, RoomSlug, RoomTitle, Timestamp};

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

/// A room, and a page of its messages, read together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The room.
    pub room: Room,
    /// The page.
    pub page: MessagePage,
}

/// The rooms that a list needs, and how many there are in all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The rooms, the most recently active (or, without events, created) first.
    pub rooms: Vec<Room>,
    /// The number of all rooms.
    pub total: u32,
}

/// How much of a log is read at once: up to the limit that is reached first, but always at least one event or message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The most events or messages.
    pub count: u32,
    /// The most bytes of their JSON; see [`Entry::bytes`] and [`protocol::Message::bytes`].
    pub bytes: usize,
}

impl Limit {
    /// For `history` without `after`, and `join` without `from`.
    pub const HISTORY: Self = Self {
        count: HISTORY_MESSAGES,
        bytes: HISTORY_BYTES,
    };
    /// For `history {after}` and `join {from}`.
    pub const CATCH_UP: Self = Self {
        count: CATCH_UP_EVENTS,
        bytes: CATCH_UP_BYTES,
    };

    /// This many events or messages, of any size.
    pub const fn of(count: u32) -> Self {
        Self {
            count,
            bytes: usize::MAX,
        }
    }
}

/// Counts, one by one, what fits within a [`Limit`].
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

    /// Counts the next event or message, of this many bytes. Returns false if it does not fit; after that, nothing fits.
    pub fn take(&mut self, bytes: usize) -> bool {
        let fits = self.left.count > 0 && (self.empty || bytes <= self.left.bytes);
        if fits {
            self.empty = false;
            self.left.count -= 1;
            self.left.bytes = self.left.bytes.saturating_sub(bytes);
        } else {
            self.left = Limit { count: 0, bytes: 0 };
        }
        fits
    }
}

/// An event, and the person who caused it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The event.
    pub event: LogEvent,
    /// The person who caused it.
    pub by: Person,
}

impl Entry {
    /// An upper bound of the event's size as JSON, in bytes. Its author is named once in an answer, however many events
    /// they caused.
    pub fn bytes(&self) -> usize {
        self.event.bytes()
    }
}

/// The people who caused these events, each once.
pub fn people<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Vec<&'a Person> {
    let mut people: Vec<_> = entries.into_iter().map(|entry| &entry.by).collect();
    people.sort_unstable_by(|one, two| one.id.cmp(&two.id));
    people.dedup_by(|one, two| one.id == two.id);
    people
}

/// A stretch of a log: ascending, without holes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The log's head when the events were read, in the same view of the log.
    pub head: Position,
    /// The events of the stretch.
    pub entries: Vec<Arc<Entry>>,
    /// True if there are newer events.
    pub more: bool,
}

impl Stretch {
    /// The events by value, and the people who caused them.
    pub fn into_parts(self) -> (Vec<LogEvent>, Vec<Person>) {
        let people = people(self.entries.iter().map(|entry| &**entry));
        let people = people.into_iter().cloned().collect();
        let events = self
            .entries
            .into_iter()
            .map(|entry| Arc::unwrap_or_clone(entry).event);
        (events.collect(), people)
    }

    /// An upper bound of the size of its events as JSON, in bytes.
    pub fn bytes(&self) -> usize {
        self.entries.iter().map(|entry| entry.bytes()).sum()
    }
}

/// A connection of a person. Presence is counted by connections.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConnectionId(pub Arc<str>);
