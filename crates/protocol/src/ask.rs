//! The commands: what a client may ask for, and what it is answered. One file per command, named like it.
//!
//! A command means the same over Socket.IO and over HTTP. [`Join`], [`Leave`] and [`Typing`] are about a connection, so
//! only Socket.IO has them.

mod create_room;
mod history;
mod join;
mod leave;
mod list_rooms;
mod roster;
mod send;
mod sign_in;
mod typing;

pub use create_room::CreateRoom;
pub use history::{History, HistoryAnswer};
pub use join::{Join, Joined, Position};
pub use leave::Leave;
pub use list_rooms::{ListRooms, RoomList, RoomSummary};
pub use roster::Roster;
pub use send::{Outgoing, Receipt, Receipts, Send};
pub use sign_in::{SignIn, SignedIn};
pub use typing::Typing;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A command.
pub trait Ask: Serialize + DeserializeOwned {
    /// What it is called: the event's name over Socket.IO, the last part of the address over HTTP.
    const NAME: &'static str;

    /// What it is answered, if it is not refused.
    type Answer: Serialize + DeserializeOwned;

    /// What the command is without a payload, if it may come without one.
    fn bare() -> Option<Self> {
        None
    }
}

/// Done, and nothing to say: `{}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Done {}
