//! The list of rooms.

use async_trait::async_trait;
use protocol::RoomSlug;

use crate::error::StoreError;
use crate::room::{Listing, Room};

/// The list of rooms.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Creates a room with an empty log and a fresh epoch.
    ///
    /// # Errors
    /// [`StoreError::RoomExists`] names the room that has the title (see [`crate::title_key`]) or, if none has, the one
    /// that has the address.
    async fn create(&self, room: &Room) -> Result<(), StoreError>;

    /// The room at an address, if it exists.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn room(&self, slug: &RoomSlug) -> Result<Option<Room>, StoreError>;

    /// The `limit` most recently active rooms, and those of the `others` that exist, each once. Storage that is far away
    /// needs one trip.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    async fn list(&self, limit: u32, others: &[RoomSlug]) -> Result<Listing, StoreError>;
}
