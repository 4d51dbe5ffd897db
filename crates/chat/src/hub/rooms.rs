//! Find a room by its address, and make sure that the lobby exists.

use protocol::{RoomSlug, RoomSummary, RoomTitle};

use super::Hub;
use crate::error::{ChatError, StoreError};
use crate::room::Room;

/// The lobby's title.
const LOBBY_TITLE: &str = "Lobby";

impl Hub {
    /// Finds the room at an address.
    pub(super) async fn room(&self, slug: &RoomSlug) -> Result<Room, ChatError> {
        let find = || async {
            let room = self.directory.room(slug).await?;
            room.ok_or_else(|| StoreError::NoSuchRoom(slug.clone()))
        };
        self.with_lobby(slug, find).await
    }

    pub(super) async fn ensure_lobby(&self) -> Result<(), ChatError> {
        let title =
            RoomTitle::try_from(LOBBY_TITLE.to_owned()).map_err(|e| super::bad_request(e.to_string()))?;
        let lobby = Room {
            slug: RoomSlug::lobby(),
            title,
            created_at: self.clock.now(),
            last_at: None,
        };
        match self.directory.create(&lobby).await {
            Ok(()) | Err(StoreError::RoomExists(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// A room as an entry of the list of rooms.
pub(super) fn summary(room: Room, here: u32) -> RoomSummary {
    RoomSummary {
        room: room.slug,
        title: room.title,
        here,
        last_at: room.last_at,
    }
}
