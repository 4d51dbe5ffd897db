//! What Hubbub's server and its clients exchange, as plain JSON: [`ids`], validated [`text`], the events of a [`log`],
//! what they make of a [`message`], [`page`]s of messages, commands and their answers ([`ask`]), what the server sends
//! without being asked ([`event`]), [`error`] codes, and the rules of who may do what ([`policy`]).
//!
//! A value of one of these types is valid: it was checked where it entered the process.

pub mod ask;
pub mod error;
pub mod event;
mod fields;
pub mod ids;
pub mod limits;
pub mod log;
pub mod message;
pub mod page;
pub mod people;
pub mod policy;
pub mod read;
pub mod text;
mod unicode;
pub mod write;

// A new command needs its name in `ask.rs` only, not here.
pub use ask::*;
pub use error::{ErrorCode, Refusal, Reply};
pub use event::{ComeBack, Events, PresenceUpdate, Reset, RosterUpdate, SignedOut, TypingUpdate, Welcome};
pub use ids::{ClientId, Epoch, Opaque, PersonId, RoomSlug, Seq, SessionToken, Timestamp};
pub use limits::Limits;
pub use log::{Deed, LogEvent};
pub use message::{Message, Reaction};
pub use page::{Covers, EventStretch, MessagePage};
pub use people::{Person, PresenceList};
pub use text::{DisplayName, Emoji, MessageText, RoomTitle};

/// The version of the protocol. It changes when a client of another build could misunderstand something. A client
/// sends it in the `auth` object of its handshake; a server with another version answers `reload`.
pub const PROTOCOL_VERSION: u32 = 2;
