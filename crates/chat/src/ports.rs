//! What the use cases need from outside, in prose. Each backend implements the first four; `crates/testkit` holds them
//! to what is written there.

mod accounts;
mod directory;
mod log;
mod presence;
mod rates;

pub use accounts::{Accounts, SessionSignal};
pub use directory::Directory;
pub use log::{RoomLog, Signal};
pub use presence::{Presence, PresenceChange};
pub use rates::{Cost, Rates, Unlimited};

use protocol::Timestamp;

/// What time it is.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Where fresh ids come from.
pub trait Ids: Send + Sync {
    /// 128 unpredictable bits.
    fn random(&self) -> u128;
}
