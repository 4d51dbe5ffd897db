//! `list_rooms`: list the rooms, with the number of people in each.

use std::cmp::Reverse;

use protocol::policy::Action;
use protocol::{ListRooms, RoomList, RoomSlug, RoomSummary};

use super::rooms::summary;
use crate::door::{Asked, UseCase};
use crate::error::ChatError;
use crate::room::{Listing, Room};

/// Most rooms in the list.
const LISTED: u32 = 200;

impl UseCase for ListRooms {
    type Answer = RoomList;
    const ACTION: Action = Action::Read;

    /// Lists the lobby, then the most recently active rooms, with the number of people in each. If there are too many,
    /// rooms with people in them take precedence over empty ones.
    async fn run(self, asked: Asked<'_>) -> Result<RoomList, ChatError> {
        let hub = asked.hub;
        let mut others = hub.presence.occupied(LISTED).await?;
        others.push(RoomSlug::lobby());
        let Listing { rooms, total } = hub.directory.list(LISTED, &others).await?;
        let slugs: Vec<_> = rooms.iter().map(|room| room.slug.clone()).collect();
        let counts = hub.presence.counts(&slugs).await?;
        Ok(RoomList {
            total,
            rooms: listed(rooms.into_iter().zip(counts).collect()),
        })
    }
}

/// The rooms that fit into the list, in its order. Relies on stable sorts.
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
