//! The ports of the chat on real storage.
//!
//! [`Embedded`] keeps everything in one SQLite database in a data folder and needs no other service.
//! [`Redis`] keeps everything in a Redis, so that many replicas are one chat.
//! [`Vitals`] knows whether their threads and tasks live.
//! [`SystemClock`] and [`RandomIds`] are the time and the randomness of the machine.

mod channels;
mod clock;
mod embedded;
mod ends;
mod ids;
mod redis;
mod vitals;

pub use clock::SystemClock;
pub use embedded::{Embedded, OpenError};
pub use ids::RandomIds;
pub use redis::{OpenRedisError, Redis};
pub use vitals::{Vitals, tireless};
