//! What is true in a chat, without any I/O.
//!
//! In reading order: [`room`] (what a room is), [`session`] (what a session is), [`ports`] (what the use cases need
//! from storage, in prose that every backend is held to), [`caller`] (who asks), [`door`] (how), [`hub`] (the use cases,
//! one file each), [`followers`] (one follower per room), [`error`] (why something is refused).

mod address;
pub mod caller;
pub mod door;
pub mod error;
pub mod followers;
pub mod hub;
pub mod ports;
pub mod room;
pub mod session;

pub use caller::{Caller, ClientAddress};
pub use door::UseCase;
pub use error::{ChatError, StoreError};
pub use followers::{Follower, Followers};
pub use hub::{
    Admitted, Enter, FindRoom, Followed, Hub, OpenRoom, OpenedRoom, RoomUpdate, SendTogether, Visit,
};
pub use room::{ConnectionId, Fill, Limit, Room, Stretch};
pub use session::{Session, SessionDigest};
