//! The rooms' logs.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use protocol::{Outgoing, Person, Position, Receipt, RoomEvent, RoomSlug, Seq, Timestamp};

use crate::error::StoreError;
use crate::room::{Limit, Stretch};

/// What a follower of a room's log receives.
#[derive(Clone, Debug)]
pub enum Signal {
    /// The next event.
    Event(Arc<RoomEvent>),
    /// Events may have been missed: read the log from the last one seen.
    Gap,
    /// The log has another epoch: discard everything seen before.
    NewEpoch,
}

/// A room's log: events with `seq` 1, 2, 3 … in one epoch.
#[async_trait]
pub trait RoomLog: Send + Sync {
    /// Stores messages of one author, in the given order, each with the next `seq`, and notifies followers.
    ///
    /// Returns when they are durable: they survive a crash of this process right after. Either all are stored or
    /// none. A `client_id` that this author has used in this room before stores nothing and returns the first
    /// receipt, also within one call and after a restart. Concurrent appends may be stored in any order; an append
    /// that starts after another returned comes after it.
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

    /// The log's head. Includes every append that has returned.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRoom`], [`StoreError::Failed`].
    async fn head(&self, room: &RoomSlug) -> Result<Position, StoreError>;

    /// Reads the first events with a `seq` larger than `after`, as many as `limit` allows. `more` is true if newer ones
    /// exist. Reads only a few events more from the storage than it returns.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRoom`]; [`StoreError::Damaged`] if an event in the stretch is missing or cannot be read, so
    /// that no hole goes unnoticed; [`StoreError::Failed`].
    async fn read(&self, room: &RoomSlug, after: Seq, limit: Limit) -> Result<Stretch, StoreError>;

    /// Reads the last events with a `seq` smaller than `before` (`None`: the latest events), as many as `limit` allows,
    /// in ascending order. `more` is true if older ones exist.
    ///
    /// # Errors
    /// As [`RoomLog::read`].
    async fn read_before(
        &self,
        room: &RoomSlug,
        before: Option<Seq>,
        limit: Limit,
    ) -> Result<Stretch, StoreError>;

    /// Every event after a `head` that was read after this call returned, in `seq` order, each once. Some of the latest
    /// events up to that `head` may come too. A follower that is too slow, or was cut off, gets [`Signal::Gap`] instead
    /// and can read what it missed. The stream ends when the backend shuts down.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRoom`], [`StoreError::Failed`].
    async fn follow(&self, room: &RoomSlug) -> Result<BoxStream<'static, Signal>, StoreError>;
}
