//! What the use cases need from outside. Each backend implements the first four; `crates/testkit` holds them to
//! what is written here.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use protocol::{Outgoing, Person, PersonId, PresenceList, Receipt, RoomEvent, RoomSlug, Seq, Timestamp};

use crate::error::StoreError;
use crate::room::{ConnectionId, Head, Limit, Page, Room};
use crate::session::{Session, SessionDigest};

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
    async fn head(&self, room: &RoomSlug) -> Result<Head, StoreError>;

    /// The first events with `seq` larger than `after`, as many as `limit` allows; `more` says whether newer ones
    /// exist. No more is read from the storage than is returned, give or take a few events.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRoom`]; [`StoreError::Damaged`] if an event is missing in the stretch or cannot be read, so
    /// that a log with a hole never passes for a whole one; [`StoreError::Failed`].
    async fn read(&self, room: &RoomSlug, after: Seq, limit: Limit) -> Result<Page, StoreError>;

    /// The last events with `seq` smaller than `before` (of all events, if absent), as many as `limit` allows,
    /// ascending; `more` says whether older ones exist.
    ///
    /// # Errors
    /// As [`RoomLog::read`].
    async fn page(&self, room: &RoomSlug, before: Option<Seq>, limit: Limit) -> Result<Page, StoreError>;

    /// Every event that is not in a `head` read after this call returned, in `seq` order, each once; perhaps also
    /// the latest ones that are in it. A follower that is too slow, or was cut off, is told [`Signal::Gap`]
    /// instead and can read what it missed. The stream ends when the backend shuts down.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRoom`], [`StoreError::Failed`].
    async fn follow(&self, room: &RoomSlug) -> Result<BoxStream<'static, Signal>, StoreError>;
}

/// Which rooms there are.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Creates a room with an empty log and a fresh epoch.
    ///
    /// # Errors
    /// [`StoreError::RoomExists`] if the address is taken, by whatever title.
    async fn create(&self, room: &Room) -> Result<(), StoreError>;

    /// The room at an address.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn room(&self, slug: &RoomSlug) -> Result<Option<Room>, StoreError>;

    /// At most `limit` rooms, the most recently active (or, without events, created) first.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn rooms(&self, limit: u32) -> Result<Vec<Room>, StoreError>;

    /// How many rooms there are.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn count(&self) -> Result<u32, StoreError>;
}

/// What is told of sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionSignal {
    /// This one has ended.
    Ended(SessionDigest),
    /// Some may have ended unnoticed: look those up that matter.
    Unsure,
}

/// People and their sessions. A session's token is never seen here, only its digest.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Adds a person with one session, last used `at`.
    ///
    /// # Errors
    /// [`StoreError::Failed`], [`StoreError::Busy`].
    async fn create(&self, person: &Person, session: &SessionDigest, at: Timestamp)
    -> Result<(), StoreError>;

    /// A session, if it is one and has not ended. Whether it was idle for too long is not judged here.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn session(&self, session: &SessionDigest) -> Result<Option<Session>, StoreError>;

    /// Writes down that a session was used. One that has ended stays ended.
    ///
    /// # Errors
    /// [`StoreError::Failed`], [`StoreError::Busy`].
    async fn prolong(&self, session: &SessionDigest, at: Timestamp) -> Result<(), StoreError>;

    /// Ends a session and tells so. Ending it again, or one that never was, does no harm. If its person has no other
    /// session and never wrote anything, they may be forgotten.
    ///
    /// # Errors
    /// [`StoreError::Failed`], [`StoreError::Busy`].
    async fn end(&self, session: &SessionDigest) -> Result<(), StoreError>;

    /// Forgets up to `limit` sessions that were last used before this time, as if they had ended, and says how many
    /// there were.
    ///
    /// # Errors
    /// [`StoreError::Failed`], [`StoreError::Busy`].
    async fn forget(&self, before: Timestamp, limit: u32) -> Result<u32, StoreError>;

    /// Every session that ends by [`Accounts::end`] after this call returned, in any process that shares the storage,
    /// or [`SessionSignal::Unsure`]. The stream ends when the backend shuts down.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn ends(&self) -> Result<BoxStream<'static, SessionSignal>, StoreError>;
}

/// What changed about who is in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PresenceChange {
    /// Somebody's first connection entered; so many people are here now.
    Entered(Person, u32),
    /// Somebody's last connection left; so many people are here now.
    Left(Person, u32),
    /// Somebody is writing, or stopped.
    Typing(Person, bool),
    /// Changes may have been missed: read the roster again.
    Unsure,
}

/// Who is in which room right now. Nothing of it outlives the processes that know it.
#[async_trait]
pub trait Presence: Send + Sync {
    /// A connection of a person is in a room. Entering again with the same connection does nothing.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn enter(
        &self,
        room: &RoomSlug,
        person: &Person,
        connection: &ConnectionId,
    ) -> Result<(), StoreError>;

    /// The connection is no longer in the room. One that was not there leaves without effect.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn leave(
        &self,
        room: &RoomSlug,
        person: &PersonId,
        connection: &ConnectionId,
    ) -> Result<(), StoreError>;

    /// At most `limit` people by name, and the count of all. A person with several connections counts once.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn roster(&self, room: &RoomSlug, limit: u32) -> Result<PresenceList, StoreError>;

    /// How many people are in each of these rooms, in their order.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn counts(&self, rooms: &[RoomSlug]) -> Result<Vec<u32>, StoreError>;

    /// At most `limit` of the rooms that have people in them; which of them is up to the backend. News from other
    /// processes may take a few seconds, so a room may be missing, or named although everybody has left.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn occupied(&self, limit: u32) -> Result<Vec<RoomSlug>, StoreError>;

    /// Tells the room that a person is writing, or stopped. Kept nowhere.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn typing(&self, room: &RoomSlug, person: &Person, typing: bool) -> Result<(), StoreError>;

    /// Every change after this call returned, in one order for all followers, or [`PresenceChange::Unsure`].
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn follow(&self, room: &RoomSlug) -> Result<BoxStream<'static, PresenceChange>, StoreError>;
}

/// What time it is.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Where fresh ids come from.
pub trait Ids: Send + Sync {
    /// 128 unpredictable bits.
    fn random(&self) -> u128;
}
