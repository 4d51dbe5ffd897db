//! The rooms' logs, and the messages in them.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use protocol::{
    Deed, Epoch, Message, MessagePage, Person, PersonId, Position, Receipt, RoomSlug, Seq, Timestamp,
};

use crate::error::{Misfit, StoreError};
use crate::room::{Entry, Limit, Opened, Stretch};

/// What a follower of a room's log receives.
#[derive(Clone, Debug)]
pub enum Signal {
    /// The next event.
    Event(Arc<Entry>),
    /// Events may have been missed: read the log from the last one seen.
    Gap,
    /// The log has another epoch: discard everything seen before.
    NewEpoch,
}

/// A deed to store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDeed {
    /// The deed. It has a `client_id`.
    pub deed: Deed,
    /// What must be true of the message that it is about.
    pub guard: Option<Guard>,
    /// The epoch of the log that the guard is about. `None`: whichever the log has.
    pub epoch: Option<Epoch>,
}

impl NewDeed {
    /// Checks that this person may store it in a log of this epoch. `message` is the one that the guard is about, as it
    /// is now.
    ///
    /// # Errors
    /// Says why the deed does not fit.
    pub fn check(&self, by: &PersonId, epoch: &Epoch, message: Option<&Message>) -> Result<(), Misfit> {
        let Some(guard) = self.guard else { return Ok(()) };
        if self.epoch.as_ref().is_some_and(|seen| seen != epoch) {
            return Err(Misfit::Replaced);
        }
        guard.check(&self.deed, by, message)
    }
}

/// A condition on a message, checked in the transaction that stores the deed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// The message exists, deleted or not.
    Exists(Seq),
    /// The message exists and is not deleted. A reaction also fits: see [`protocol::Message::takes`].
    Stands(Seq),
    /// Like [`Guard::Stands`], and it is by the person who stores the deed.
    Mine(Seq),
}

impl Guard {
    /// The message that it is about.
    pub fn message(self) -> Seq {
        match self {
            Self::Exists(seq) | Self::Stands(seq) | Self::Mine(seq) => seq,
        }
    }

    fn check(self, deed: &Deed, by: &PersonId, message: Option<&Message>) -> Result<(), Misfit> {
        let message = message.ok_or(Misfit::Missing)?;
        match (self, deed) {
            (Self::Exists(_), _) => Ok(()),
            (Self::Mine(_), _) if message.by != *by => Err(Misfit::Foreign),
            _ if message.deleted => Err(Misfit::Deleted),
            (Self::Stands(_), Deed::Reacted { emoji, on: true, .. }) if !message.takes(emoji, by) => {
                Err(Misfit::Full)
            }
            (Self::Stands(_) | Self::Mine(_), _) => Ok(()),
        }
    }
}

/// A room's log: events with `seq` 1, 2, 3 … in one epoch, and the messages that they make.
#[async_trait]
pub trait RoomLog: Send + Sync {
    /// Stores deeds of one person, in the given order, each with the next `seq`; folds them into the messages that they
    /// are about, and into the room's title; and notifies followers.
    ///
    /// Returns when they are durable: they survive a crash of this process right after. Either all are stored or
    /// none. A `client_id` that this person has used in this room before stores nothing and returns the first
    /// receipt, whatever the deed and its guard, also within one call and after a restart. When a message is deleted,
    /// the events that gave it its texts stay without them, see [`Deed::without_text`]. Concurrent appends may be
    /// stored in any order; an append that starts after another returned comes after it.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRoom`], [`StoreError::Unfit`] (a guard does not hold), [`StoreError::RoomExists`] (another
    /// room has that title, see [`crate::title_key`]), [`StoreError::Busy`] (nothing stored), [`StoreError::Failed`] (unknown whether stored; the same call again is safe).
    async fn append(
        &self,
        room: &RoomSlug,
        by: &Person,
        deeds: Vec<NewDeed>,
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

    /// Reads the room, and the last messages with a `seq` smaller than `before` (`None`: the latest messages), as many as
    /// `limit` allows, oldest first. Storage that is far away needs one trip. Each has every event up to the page's head folded in. The page covers the log from its
    /// first message (from 1 if there are no older ones) up to `before`, or up to the head.
    ///
    /// # Errors
    /// As [`RoomLog::read`]: [`StoreError::Damaged`] if a message in the stretch is missing or cannot be read.
    async fn open(&self, room: &RoomSlug, before: Option<Seq>, limit: Limit) -> Result<Opened, StoreError>;

    /// The page that [`RoomLog::open`] reads.
    ///
    /// # Errors
    /// As [`RoomLog::open`].
    async fn messages(
        &self,
        room: &RoomSlug,
        before: Option<Seq>,
        limit: Limit,
    ) -> Result<MessagePage, StoreError> {
        Ok(self.open(room, before, limit).await?.page)
    }

    /// Every event after a `head` that was read after this call returned, in `seq` order, each once. Some of the latest
    /// events up to that `head` may come too. A follower that is too slow, or was cut off, gets [`Signal::Gap`] instead
    /// and can read what it missed. The stream ends when the backend shuts down.
    ///
    /// A room that does not exist has no events. Reading its log afterwards says so.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn follow(&self, room: &RoomSlug) -> Result<BoxStream<'static, Signal>, StoreError>;
}
