//! Read a room for its page.

use protocol::policy::Action;
use protocol::{MessagePage, PresenceList, RoomSlug, Seq};

use crate::door::{Asked, UseCase};
use crate::error::ChatError;
use crate::room::{Limit, Room};

/// Find a room.
pub struct FindRoom {
    /// The room's address.
    pub room: RoomSlug,
}

impl UseCase for FindRoom {
    type Answer = Room;
    const ACTION: Action = Action::Read;

    async fn run(self, asked: Asked<'_>) -> Result<Room, ChatError> {
        asked.hub.room(&self.room).await
    }
}

/// Read everything that a room's page shows. Reading is not charged here: pages have their own rate.
pub struct OpenRoom {
    /// The room's address.
    pub room: RoomSlug,
    /// Read messages before this `seq`. `None`: the latest ones.
    pub before: Option<Seq>,
    /// How much to read.
    pub limit: Limit,
}

/// What a room's page shows.
pub struct OpenedRoom {
    /// The room.
    pub room: Room,
    /// The people present.
    pub roster: PresenceList,
    /// A page of the room's messages.
    pub page: MessagePage,
}

impl UseCase for OpenRoom {
    type Answer = OpenedRoom;
    const ACTION: Action = Action::Read;

    async fn run(self, asked: Asked<'_>) -> Result<OpenedRoom, ChatError> {
        let Self { room, before, limit } = self;
        // Before anything else, because it says whether the room exists.
        let opened = asked.hub.open_room(&room, before, limit).await?;
        Ok(OpenedRoom {
            room: opened.room,
            roster: asked.hub.roster(&room).await?,
            page: opened.page,
        })
    }
}
