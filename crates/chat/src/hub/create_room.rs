//! `create_room`: create a public room.

use protocol::policy::Action;
use protocol::{CreateRoom, ErrorCode, Refusal, RoomSlug, RoomSummary, RoomTitle};

use super::Hub;
use super::rooms::summary;
use crate::address;
use crate::door::{Asked, UseCase};
use crate::error::{ChatError, StoreError};
use crate::ports::Cost;
use crate::room::Room;

/// The highest number tried for an address: first for the one that the title suggests, then for one made of a hash.
const NUMBERS: u32 = 50;

impl UseCase for CreateRoom {
    type Answer = RoomSummary;
    const ACTION: Action = Action::CreateRoom;

    /// Derives the address from the title. If a room with another title has that address, the address gets a number.
    /// The list of rooms shows titles, so no two rooms have the same one.
    async fn run(self, asked: Asked<'_>) -> Result<RoomSummary, ChatError> {
        asked.take(Cost::Room)?;
        let Self { title } = self;
        let addresses = [address::suggested(&title), address::opaque(&title)];
        for slug in addresses.into_iter().flatten().flat_map(numbered) {
            match create_at(asked.hub, slug, &title).await? {
                Attempt::Created(room) => return Ok(room),
                Attempt::Taken(room) if address::same(&room.title, &title) => {
                    return Err(exists(room.slug).into());
                }
                Attempt::Taken(_) => {}
            }
        }
        Err(super::bad_request(
            "no address can be derived from this name".to_owned(),
        ))
    }
}

/// The address, and the same with each number.
fn numbered(address: RoomSlug) -> impl Iterator<Item = RoomSlug> {
    let rest = address.clone();
    let numbers = (2..=NUMBERS).filter_map(move |number| address::numbered(&rest, number));
    std::iter::once(address).chain(numbers)
}

async fn create_at(hub: &Hub, slug: RoomSlug, title: &RoomTitle) -> Result<Attempt, ChatError> {
    let room = Room {
        slug,
        title: title.clone(),
        created_at: hub.clock.now(),
        last_at: None,
    };
    match hub.directory.create(&room).await {
        Ok(()) => Ok(Attempt::Created(summary(room, 0))),
        Err(StoreError::RoomExists(slug)) => Ok(Attempt::Taken(hub.room(&slug).await?)),
        Err(error) => Err(error.into()),
    }
}

/// The result of an attempt to create a room.
enum Attempt {
    /// The room was created.
    Created(RoomSummary),
    /// This room has the title or the address.
    Taken(Room),
}

pub(super) fn exists(room: RoomSlug) -> Refusal {
    let sentence =
        format!("a room with that name already exists at /rooms/{room}; open it or choose another name");
    Refusal::new(ErrorCode::RoomExists, sentence).about(room)
}
