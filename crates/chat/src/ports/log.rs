//! The rooms' logs.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use protocol::{Outgoing, Person, Position, Receipt, RoomEvent, RoomSlug, Seq, Timestamp};

use crate::error::StoreError;
use crate::room::{Limit, Stretch};

/// What a follower of a room's log is told.
#[derive(Clone, Debug)]
pub enum Signal {
    /// The next event.
    Event(Arc<RoomEvent>),
    /// Events may have been missed: read the log from the last one seen.
    Gap,
    /// The log has another epoch now: nothing seen before holds.
    NewEpoch,
}

/// A room's log: events with `seq` 1, 2, 3 … in one epoch.
#[async_trait]
pub trait RoomLog: Send + Sync {
    /// Stores messages of one author, in the order given, each with the next `seq`, and tells followers.
    ///
    /// Returns when they are durable: they survive the death of this process right after. All or none are
    /// stored. A `client_id` that this author has used in this room before stores nothing and gives the receipt
    /// of the first time, also within one call and after a restart. Appends whose calls overlap may be stored in
    /// any order; an append that is called after another returned comes after it.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRoom`], [`StoreError::Busy`] (nothing stored), [`StoreError::Failed`] (unknown whether
    /// stored; the same call again is safe).
    async fn append(
        &self,
        room: &RoomSlug,
        author: &Person,
        messages: Vec<Outgoing>,
        at: Timestamp,
    ) -> Result<Vec<Receipt>, StoreError>;

    /// Where the log stands. Includes every append that has returned.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRoom`], [`StoreError::Failed`].
    async fn head(&self, room: &RoomSlug) -> Result<Position, StoreError>;

    /// The first events with `seq` larger than `after`, as many as `limit` allows; `more` says whether newer ones
    /// exist. No more is read from the storage than is returned, give or take a few events.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRoom`]; [`StoreError::Damaged`] if an event is missing in the stretch or cannot be read, so
    /// that a log with a hole never passes for a whole one; [`StoreError::Failed`].
    async fn read(&self, room: &RoomSlug, after: Seq, limit: Limit) -> Result<Stretch, StoreError>;

    /// The last events with `seq` smaller than `before` (of all events, if absent), as many as `limit` allows,
    /// ascending; `more` says whether older ones exist.
    ///
    /// # Errors
    /// As [`RoomLog::read`].
    async fn read_before(
        &self,
        room: &RoomSlug,
        before: Option<Seq>,
        limit: Limit,
    ) -> Result<Stretch, StoreError>;

    /// Every event that is not in a `head` read after this call returned, in `seq` order, each once; perhaps also
    /// the latest ones that are in it. A follower that is too slow, or was cut off, is told [`Signal::Gap`]
    /// instead and can read what it missed. The stream ends when the backend shuts down.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRoom`], [`StoreError::Failed`].
    async fn follow(&self, room: &RoomSlug) -> Result<BoxStream<'static, Signal>, StoreError>;
}
