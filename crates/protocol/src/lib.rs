//! What travels between Hubbub's server and its clients, as plain JSON: [`ids`], validated [`text`],
//! [`command`]s with their replies, [`event`]s, and [`error`] codes.
//!
//! Whatever exists as one of these types is valid: it was checked where it entered the process.

pub mod command;
pub mod error;
pub mod event;
pub mod ids;
pub mod limits;
pub mod text;
mod unicode;

pub use command::{
    CreateRoom, History, HistoryPage, Join, Joined, Outgoing, Position, Receipt, Receipts, RoomList, RoomRef,
    RoomSummary, Send, SetTyping, SignIn, SignedIn,
};
pub use error::{ErrorCode, Refusal, Reply};
pub use event::{
    ComeBack, EventBody, Person, PresenceList, PresenceUpdate, RoomEvent, RosterUpdate, SignedOut,
    TypingUpdate, Welcome,
};
pub use ids::{ClientId, Epoch, Opaque, PersonId, RoomSlug, Seq, SessionToken, Timestamp};
pub use limits::Limits;
pub use text::{DisplayName, MessageText, RoomTitle};

/// Version of everything in this crate that a client of another build could misunderstand. A client sends it in
/// the `auth` object of its handshake; a server that speaks another one answers `reload`.
pub const PROTOCOL_VERSION: u32 = 1;
