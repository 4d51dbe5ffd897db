//! What a page shows: one server function per page. Rendering calls them directly, client-side navigation over HTTP;
//! both ways they see the same visitor and the same hub.

use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, JsonEncoding};
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use protocol::{
    ClientId, Person, Position, PresenceList, RoomEvent, RoomSlug, RoomSummary, RoomTitle, Seq, Timestamp,
};
use serde::{Deserialize, Serialize};

/// What the front page shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FrontData {
    /// Who is looking, if they are signed in.
    pub you: Option<Person>,
    /// The lobby first, then the most recently active.
    pub rooms: Vec<RoomSummary>,
    /// When this was true.
    pub now: Timestamp,
}

/// What a room's page shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RoomData {
    /// Who is looking, if they are signed in.
    pub you: Option<Person>,
    /// The room's address.
    pub room: RoomSlug,
    /// What it is called.
    pub title: RoomTitle,
    /// Where the log stood: live events start right after it. Only of use with the latest page.
    pub head: Position,
    /// A page of the log, oldest first.
    pub events: Vec<RoomEvent>,
    /// Whether there are older ones.
    pub more: bool,
    /// Whether this is the end of the log, and not a page further up.
    pub latest: bool,
    /// Who is here.
    pub roster: PresenceList,
    /// What the next message is called if it is sent as a plain form: sent twice, it is stored once.
    pub client_id: ClientId,
    /// When this was true.
    pub now: Timestamp,
}

/// Why there is no page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PageError {
    /// No room has that address.
    NoSuchRoom,
    /// The storage does not answer, or the server does not.
    Unavailable,
}

impl std::fmt::Display for PageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoSuchRoom => "there is no such room",
            Self::Unavailable => "the server cannot answer now",
        })
    }
}

impl std::error::Error for PageError {}

impl FromServerFnError for PageError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(_: ServerFnErrorErr) -> Self {
        Self::Unavailable
    }
}

/// The front page.
///
/// # Errors
/// If the storage does not answer.
#[server(prefix = "/api", endpoint = "front", input = GetUrl)]
pub async fn load_front() -> Result<FrontData, PageError> {
    let list = server::hub()?.list_rooms().await.map_err(server::page_error)?;
    Ok(FrontData {
        you: server::you(),
        rooms: list.rooms,
        now: crate::client::platform::now(),
    })
}

/// The page of a room: its latest messages, or those before a place.
///
/// # Errors
/// If there is no such room, or the storage does not answer.
#[server(prefix = "/api", endpoint = "room", input = GetUrl)]
pub async fn load_room(
    /// Which room.
    room: RoomSlug,
    /// Absent: the latest page.
    before: Option<Seq>,
) -> Result<RoomData, PageError> {
    let hub = server::hub()?;
    let title = hub.room(&room).await.map_err(server::page_error)?.title;
    let roster = hub.roster(&room).await.map_err(server::page_error)?;
    let history = protocol::History {
        room: room.clone(),
        before,
        after: None,
    };
    let page = hub.history(history).await.map_err(server::page_error)?;
    Ok(RoomData {
        you: server::you(),
        room,
        title,
        // The latest page ends at the head: both were read in one view of the log.
        head: Position {
            epoch: page.epoch,
            seq: page.events.last().map_or(Seq::ZERO, |event| event.seq),
        },
        events: page.events,
        more: page.more,
        latest: before.is_none(),
        roster,
        client_id: server::client_id()?,
        now: crate::client::platform::now(),
    })
}

#[cfg(feature = "ssr")]
mod server;
