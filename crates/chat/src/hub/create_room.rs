//! `create_room`: open a room for everybody.

use protocol::policy::Action;
use protocol::{CreateRoom, ErrorCode, Refusal, RoomSlug, RoomSummary, RoomTitle};

use super::Hub;
use super::rooms::summary;
use crate::address;
use crate::door::{Asked, UseCase};
use crate::error::{ChatError, StoreError};
use crate::ports::Cost;
use crate::room::Room;

/// Numbers that are tried for an address before it is made of digits that say nothing.
const NUMBERS: u32 = 50;

impl UseCase for CreateRoom {
    type Answer = RoomSummary;
    const ACTION: Action = Action::CreateRoom;

    /// The room's address follows from the title. An address that another title has is numbered.
    async fn run(self, asked: Asked<'_>) -> Result<RoomSummary, ChatError> {
        asked.take(Cost::Room)?;
        let Self { title } = self;
        let suggested = address::suggested(&title);
        let numbers = 2..=NUMBERS;
        let numbered = |number| {
            suggested
                .as_ref()
                .and_then(|suggested| address::numbered(suggested, number))
        };
        for slug in suggested.iter().cloned().chain(numbers.filter_map(numbered)) {
            match create_at(asked.hub, slug, &title).await? {
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
        match create_at(asked.hub, slug, &title).await? {
            Made::Here(room) => Ok(room),
            Made::Taken(room) => Err(exists(room.slug).into()),
        }
    }
}

async fn create_at(hub: &Hub, slug: RoomSlug, title: &RoomTitle) -> Result<Made, ChatError> {
    let room = Room {
        slug,
        title: title.clone(),
        created_at: hub.clock.now(),
        last_at: None,
    };
    match hub.directory.create(&room).await {
        Ok(()) => Ok(Made::Here(summary(room, 0))),
        Err(StoreError::RoomExists(slug)) => Ok(Made::Taken(hub.room(&slug).await?)),
        Err(error) => Err(error.into()),
    }
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
