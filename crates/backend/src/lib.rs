//! The chat's ports on real storage.
//!
//! [`Embedded`] stores everything in one SQLite database in a data folder and needs no other service.
//! [`Redis`] stores everything in a Redis that many replicas share.
//! [`Vitals`] watches their long-lived threads and tasks.
//! [`SystemClock`] and [`RandomIds`] provide the machine's time and randomness.

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
