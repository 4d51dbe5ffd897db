//! List rooms, find one, create one.

use protocol::{CreateRoom, ErrorCode, Refusal, RoomList, RoomSlug, RoomSummary, RoomTitle};

use super::Hub;
use crate::error::{ChatError, StoreError};
use crate::room::Room;

/// Rooms in the list at most.
const LISTED: u32 = 200;

/// Title of the room that always exists.
const LOBBY_TITLE: &str = "Lobby";

impl Hub {
    /// The lobby, then the most recently active rooms, each with the people present.
    ///
    /// # Errors
    /// If the backend does not answer.
    pub async fn list_rooms(&self) -> Result<RoomList, ChatError> {
        let mut rooms = self.directory.rooms(LISTED).await?;
        let lobby = RoomSlug::lobby();
        // A stable sort: everything but the lobby stays where it is.
        rooms.sort_by_key(|room| room.slug != lobby);
        let slugs: Vec<_> = rooms.iter().map(|room| room.slug.clone()).collect();
        let counts = self.presence.counts(&slugs).await?;
        Ok(RoomList {
            rooms: rooms
                .into_iter()
                .zip(counts)
                .map(|(room, here)| summary(room, here))
                .collect(),
        })
    }

    /// The room at an address.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRoom`], or the backend does not answer.
    pub async fn room(&self, slug: &RoomSlug) -> Result<Room, ChatError> {
        let find = || async {
            let room = self.directory.room(slug).await?;
            room.ok_or_else(|| StoreError::NoSuchRoom(slug.clone()))
        };
        self.with_lobby(slug, find).await
    }

    /// Creates a room; its address follows from the title.
    ///
    /// # Errors
    /// [`ErrorCode::RoomExists`] if the address is taken, or the backend does not answer.
    pub async fn create_room(&self, command: CreateRoom) -> Result<RoomSummary, ChatError> {
        let CreateRoom { title } = command;
        // A title without a single a-z or digit is still a title; its room gets an address of its own.
        let slug = match RoomSlug::from_title(title.as_str()) {
            Some(slug) => slug,
            None => RoomSlug::try_from(format!("room-{:012x}", self.ids.random() & 0xffff_ffff_ffff))
                .map_err(|error| super::bad_request(error.to_string()))?,
        };
        let room = Room {
            slug,
            title,
            created_at: self.clock.now(),
            last_at: None,
        };
        match self.directory.create(&room).await {
            Ok(()) => Ok(summary(room, 0)),
            Err(StoreError::RoomExists(slug)) => Err(Refusal::new(
                ErrorCode::RoomExists,
                format!("there is a room at /rooms/{slug} already; go there or choose another name"),
            )
            .into()),
            Err(error) => Err(error.into()),
        }
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

fn summary(room: Room, here: u32) -> RoomSummary {
    RoomSummary {
        room: room.slug,
        title: room.title,
        here,
        last_at: room.last_at,
    }
}
