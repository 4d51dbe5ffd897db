//! A room as somebody sees it who opens its page.

use protocol::policy::Action;
use protocol::{PresenceList, RoomSlug, Seq};

use crate::door::{Asked, UseCase};
use crate::error::ChatError;
use crate::room::{Limit, Room, Stretch};

/// Find a room.
pub struct FindRoom {
    /// Its address.
    pub room: RoomSlug,
}

impl UseCase for FindRoom {
    type Answer = Room;
    const ACTION: Action = Action::Read;

    async fn run(self, asked: Asked<'_>) -> Result<Room, ChatError> {
        asked.hub.room(&self.room).await
    }
}

/// Read all that a room's page shows. Its reading is not counted: pages have a rate of their own.
pub struct OpenRoom {
    /// The room's address.
    pub room: RoomSlug,
    /// The page of the log ends before this place. Absent: it is the latest.
    pub before: Option<Seq>,
    /// How much of the log.
    pub limit: Limit,
}

/// What a room's page shows.
pub struct OpenedRoom {
    /// The room.
    pub room: Room,
    /// Who is there.
    pub roster: PresenceList,
    /// A page of its log.
    pub page: Stretch,
}

impl UseCase for OpenRoom {
    type Answer = OpenedRoom;
    const ACTION: Action = Action::Read;

    async fn run(self, asked: Asked<'_>) -> Result<OpenedRoom, ChatError> {
        let Self { room, before, limit } = self;
        // First, whether it exists.
        let found = asked.hub.room(&room).await?;
        Ok(OpenedRoom {
            roster: asked.hub.roster(&room).await?,
            page: asked.hub.read_before(&room, before, limit).await?,
            room: found,
        })
    }
}
