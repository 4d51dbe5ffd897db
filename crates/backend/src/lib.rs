//! The ports of the chat on real storage.
//!
//! [`Embedded`] keeps everything in one SQLite database in a data folder and needs no other service.
//! [`SystemClock`] and [`RandomIds`] are the time and the randomness of the machine.

mod clock;
mod embedded;
mod ids;

pub use clock::SystemClock;
pub use embedded::{Embedded, OpenError};
pub use ids::RandomIds;
