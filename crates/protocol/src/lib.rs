//! What travels between Hubbub's server and its clients, as plain JSON: [`ids`], validated [`text`],
//! commands and what they are answered ([`ask`]), [`event`]s, [`error`] codes, and who may do what ([`policy`]).
//!
//! Whatever exists as one of these types is valid: it was checked where it entered the process.

pub mod ask;
pub mod error;
pub mod event;
pub mod ids;
pub mod limits;
pub mod policy;
pub mod text;
mod unicode;

// A new command is named in `ask.rs` and nowhere else.
pub use ask::*;
pub use error::{ErrorCode, Refusal, Reply};
pub use event::{
    ComeBack, EventBody, Person, PresenceList, PresenceUpdate, Reset, RoomEvent, RosterUpdate, SignedOut,
    TypingUpdate, Welcome,
};
pub use ids::{ClientId, Epoch, Opaque, PersonId, RoomSlug, Seq, SessionToken, Timestamp};
pub use limits::Limits;
pub use text::{DisplayName, MessageText, RoomTitle};

/// Version of everything in this crate that a client of another build could misunderstand. A client sends it in
/// the `auth` object of its handshake; a server that speaks another one answers `reload`.
pub const PROTOCOL_VERSION: u32 = 1;
