//! What Hubbub's server and its clients exchange, as plain JSON: [`ids`], validated [`text`], commands and their
//! answers ([`ask`]), [`event`]s, [`error`] codes, and the rules of who may do what ([`policy`]).
//!
//! A value of one of these types is valid: it was checked where it entered the process.

pub mod ask;
pub mod error;
pub mod event;
pub mod ids;
pub mod limits;
pub mod policy;
pub mod text;
mod unicode;

// A new command needs its name in `ask.rs` only, not here.
pub use ask::*;
pub use error::{ErrorCode, Refusal, Reply};
pub use event::{
    ComeBack, EventBody, Person, PresenceList, PresenceUpdate, Reset, RoomEvent, RosterUpdate, SignedOut,
    TypingUpdate, Welcome,
};
pub use ids::{ClientId, Epoch, Opaque, PersonId, RoomSlug, Seq, SessionToken, Timestamp};
pub use limits::Limits;
pub use text::{DisplayName, MessageText, RoomTitle};

/// The version of the protocol. It changes when a client of another build could misunderstand something. A client
/// sends it in the `auth` object of its handshake; a server with another version answers `reload`.
pub const PROTOCOL_VERSION: u32 = 1;
