//! The rules and use cases of a chat, without I/O.
//!
//! In reading order: [`room`] and [`session`] (the values), [`ports`] (what the use cases need from storage, as
//! contracts in prose), [`caller`] (who sends a command), [`door`] (how commands enter), [`hub`] (the use cases, one
//! per file), [`followers`] (one follower per room), [`Order`] (what several replicas publish, in order), [`error`] (why a
//! command is refused).

mod address;
pub mod caller;
pub mod door;
pub mod error;
pub mod followers;
pub mod hub;
mod order;
pub mod ports;
pub mod room;
pub mod session;

pub use address::title_key;
pub use caller::{Caller, ClientAddress};
pub use door::UseCase;
pub use error::{ChatError, Misfit, StoreError};
pub use followers::{Follower, Followers};
pub use hub::{
    Admitted, Enter, FindRoom, Followed, Hub, OpenRoom, OpenedRoom, RoomUpdate, SendTogether, Visit,
};
pub use order::Order;
pub use room::{ConnectionId, Entry, Fill, Limit, Listing, Opened, Room, Stretch, people};
pub use session::{Session, SessionDigest};
