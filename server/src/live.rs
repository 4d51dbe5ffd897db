//! The fast path: from what happens in a room to bytes on its connections.
//!
//! In the order of the data: [`follower`] follows a room and collects what leaves together, [`audience`] and
//! [`guests`] are the connections that receive it, [`frame`] encodes it once for all of them, and [`wire`] writes it
//! to each. [`budget`] accounts for what waits for slow readers, and [`pace`] decides who is too slow.
//!
//! [`facts`] lists what it assumes about the library that writes to the same connections.
//!
//! It knows chat and bytes, but not the Socket.IO library, HTTP or the rest of the process: whatever else it needs is
//! passed in.

pub mod audience;
pub mod budget;
pub mod facts;
pub mod follower;
pub mod frame;
mod guests;
mod pace;
mod wire;

pub use budget::{Account, BUDGET, Budget, MUCH};
pub use follower::{Fanout, Hold};
pub use guests::{GuestMembership, Guests};
pub use pace::Pace;
pub use wire::{STALL, Wire, if_ready, in_any_case, set_options};
