//! List rooms, find one, create one.

use std::cmp::Reverse;
use std::collections::HashSet;

use futures::future::try_join_all;
use protocol::{CreateRoom, ErrorCode, Refusal, RoomList, RoomSlug, RoomSummary, RoomTitle};

use super::Hub;
use crate::address;
use crate::error::{ChatError, StoreError};
use crate::room::Room;

/// Rooms in the list at most.
const LISTED: u32 = 200;

/// Numbers that are tried for an address before it is made of digits that say nothing.
const NUMBERS: u32 = 50;

/// Title of the room that always exists.
const LOBBY_TITLE: &str = "Lobby";

impl Hub {
    /// The lobby, then the most recently active rooms, each with the people present. Where not all fit, rooms with
    /// people in them come before empty ones.
    ///
    /// # Errors
    /// If the backend does not answer.
    pub async fn list_rooms(&self) -> Result<RoomList, ChatError> {
        let mut rooms = self.directory.rooms(LISTED).await?;
        let mut others: HashSet<_> = self.presence.occupied(LISTED).await?.into_iter().collect();
        others.insert(RoomSlug::lobby());
        for room in &rooms {
            others.remove(&room.slug);
        }
        let others = try_join_all(others.iter().map(|room| self.directory.room(room))).await?;
        rooms.extend(others.into_iter().flatten());
        let slugs: Vec<_> = rooms.iter().map(|room| room.slug.clone()).collect();
        let counts = self.presence.counts(&slugs).await?;
        Ok(RoomList {
            total: self.directory.count().await?,
            rooms: listed(rooms.into_iter().zip(counts).collect()),
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

    /// Creates a room; its address follows from the title. An address that another title has is numbered.
    ///
    /// # Errors
    /// [`ErrorCode::RoomExists`] if there is a room with that title, or the backend does not answer.
    pub async fn create_room(&self, command: CreateRoom) -> Result<RoomSummary, ChatError> {
        let CreateRoom { title } = command;
        let suggested = address::suggested(&title);
        let numbers = 2..=NUMBERS;
        let numbered = |number| {
            suggested
                .as_ref()
                .and_then(|suggested| address::numbered(suggested, number))
        };
        for slug in suggested.iter().cloned().chain(numbers.filter_map(numbered)) {
            match self.create_at(slug, &title).await? {
                Made::Here(room) => return Ok(room),
                // Cards of rooms show titles, so there is one room of a title: on every replica, because a title
                // always tries the same addresses.
                Made::Taken(room) if address::same(&room.title, &title) => {
                    return Err(exists(room.slug).into());
                }
                Made::Taken(_) => {}
            }
        }
        let slug = address::opaque(&title)
            .ok_or_else(|| super::bad_request("no address can be derived from this name".to_owned()))?;
        match self.create_at(slug, &title).await? {
            Made::Here(room) => Ok(room),
            Made::Taken(room) => Err(exists(room.slug).into()),
        }
    }

    async fn create_at(&self, slug: RoomSlug, title: &RoomTitle) -> Result<Made, ChatError> {
        let room = Room {
            slug,
            title: title.clone(),
            created_at: self.clock.now(),
            last_at: None,
        };
        match self.directory.create(&room).await {
            Ok(()) => Ok(Made::Here(summary(room, 0))),
            Err(StoreError::RoomExists(slug)) => Ok(Made::Taken(self.room(&slug).await?)),
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

/// The rooms that the list has place for, in its order. The sorts are stable: rooms that are equal stay as they were.
fn listed(mut rooms: Vec<(Room, u32)>) -> Vec<RoomSummary> {
    let lobby = RoomSlug::lobby();
    let active = |room: &Room| Reverse(room.last_at.unwrap_or(room.created_at));
    rooms.sort_by_key(|(room, _)| active(room));
    rooms.sort_by_key(|(room, here)| (room.slug != lobby, *here == 0));
    rooms.truncate(LISTED as usize);
    rooms.sort_by_key(|(room, _)| (room.slug != lobby, active(room)));
    rooms
        .into_iter()
        .map(|(room, here)| summary(room, here))
        .collect()
}

/// What became of an attempt to create a room.
enum Made {
    /// It is there.
    Here(RoomSummary),
    /// The address is this room's.
    Taken(Room),
}

fn exists(room: RoomSlug) -> Refusal {
    let sentence =
        format!("a room with that name already exists at /rooms/{room}; open it or choose another name");
    Refusal::new(ErrorCode::RoomExists, sentence).about(room)
}

fn summary(room: Room, here: u32) -> RoomSummary {
    RoomSummary {
        room: room.slug,
        title: room.title,
        here,
        last_at: room.last_at,
    }
}
