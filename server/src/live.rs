//! The fast path: from what happens in a room to bytes on its connections.
//!
//! In the direction of the data: [`follower`] follows a room, [`pack`] collects what leaves together, [`audience`] and
//! [`guests`] are the connections that hear it, [`frame`] encodes it once for all of them, [`wire`] writes it to each.
//! [`budget`] accounts for what waits for slow peers, and [`pace`] says who is too slow.
//!
//! [`facts`] says what it takes for granted about the library that writes to the same connections.
//!
//! It knows chat and bytes. It does not know the Socket.IO library, HTTP, or what else the process is made of: those
//! who build it hand in what it needs.

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
pub use guests::{Guests, Seat};
pub use pace::Pace;
pub use wire::{STALL, Wire, if_ready, in_any_case, set_options};
