//! The commands and their answers. One file per command, with the command's name.
//!
//! A command means the same over Socket.IO and over HTTP. [`Join`], [`Leave`] and [`Typing`] act on a connection, so
//! only Socket.IO has them.

mod create_room;
mod delete;
mod edit;
mod history;
mod join;
mod leave;
mod list_rooms;
mod object;
mod react;
mod roster;
mod send;
mod set_title;
mod sign_in;
mod typing;

pub use create_room::CreateRoom;
pub use delete::Delete;
pub use edit::Edit;
pub use history::{History, HistoryAnswer};
pub use join::{Join, Joined, Position};
pub use leave::Leave;
pub use list_rooms::{ListRooms, RoomList, RoomSummary};
pub use react::React;
pub use roster::Roster;
pub use send::{Outgoing, Receipt, Receipts, Send};
pub use set_title::SetTitle;
pub use sign_in::{SignIn, SignedIn};
pub use typing::Typing;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A command.
pub trait Ask: Serialize + DeserializeOwned {
    /// The event's name over Socket.IO; the last path segment over HTTP.
    const NAME: &'static str;

    /// The answer when the command is not refused.
    type Answer: Serialize + DeserializeOwned;

    /// The command that an empty payload stands for, if the payload may be empty.
    fn bare() -> Option<Self> {
        None
    }
}

/// An empty answer: the command was carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Done {}
