//! Who is in which room.

use async_trait::async_trait;
use futures::stream::BoxStream;
use protocol::{Person, PersonId, PresenceList, RoomSlug};

use crate::error::StoreError;
use crate::room::ConnectionId;

/// A change of a room's presence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PresenceChange {
    /// A person's first connection entered. With the number of people present now.
    Entered(Person, u32),
    /// A person's last connection left. With the number of people present now.
    Left(Person, u32),
    /// A person is typing (true), or has stopped (false).
    Typing(Person, bool),
    /// Changes may have been missed: read the roster again.
    Unsure,
}

/// Who is in which room right now. It ends with the processes that hold the connections.
#[async_trait]
pub trait Presence: Send + Sync {
    /// Puts a connection of a person into a room. Does nothing if the connection is there already.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn enter(
        &self,
        room: &RoomSlug,
        person: &Person,
        connection: &ConnectionId,
    ) -> Result<(), StoreError>;

    /// As [`Presence::enter`], and lists the people who are there then, as [`Presence::roster`]. Storage that is far away
    /// needs one trip for both.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn enter_and_list(
        &self,
        room: &RoomSlug,
        person: &Person,
        connection: &ConnectionId,
        limit: u32,
    ) -> Result<PresenceList, StoreError> {
        self.enter(room, person, connection).await?;
        self.roster(room, limit).await
    }

    /// Takes a connection out of a room. Does nothing if the connection is not there.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn leave(
        &self,
        room: &RoomSlug,
        person: &PersonId,
        connection: &ConnectionId,
    ) -> Result<(), StoreError>;

    /// At most `limit` people, sorted by name, and the count of all. A person with several connections counts once.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn roster(&self, room: &RoomSlug, limit: u32) -> Result<PresenceList, StoreError>;

    /// The number of people in each of these rooms, in the same order.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn counts(&self, rooms: &[RoomSlug]) -> Result<Vec<u32>, StoreError>;

    /// At most `limit` of the rooms with people in them; the backend chooses which. What changes in other processes may
    /// take a few seconds, so a room may be missing, or listed although everybody has left.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn occupied(&self, limit: u32) -> Result<Vec<RoomSlug>, StoreError>;

    /// Tells the room that a person is typing, or has stopped. It is not stored.
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
