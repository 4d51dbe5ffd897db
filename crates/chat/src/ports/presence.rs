//! Who is where.

use async_trait::async_trait;
use futures::stream::BoxStream;
use protocol::{Person, PersonId, PresenceList, RoomSlug};

use crate::error::StoreError;
use crate::room::ConnectionId;

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
