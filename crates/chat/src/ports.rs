//! What the use cases need from outside, as contracts in prose. Each backend implements the first four traits;
//! `crates/testkit` tests them against these contracts.

mod accounts;
mod directory;
mod log;
mod presence;
mod rates;

pub use accounts::{Accounts, SessionSignal};
pub use directory::Directory;
pub use log::{Guard, NewDeed, RoomLog, Signal};
pub use presence::{Presence, PresenceChange};
pub use rates::{Cost, Rates, Unlimited};

use protocol::Timestamp;

/// The current time.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// A source of fresh ids.
pub trait Ids: Send + Sync {
    /// Returns 128 unpredictable bits.
    fn random(&self) -> u128;
}
