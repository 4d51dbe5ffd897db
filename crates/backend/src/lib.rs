//! The chat's ports on real storage.
//!
//! [`Sqlite`] keeps everything in one database in a data folder. A [`Bus`] tells followers what was committed:
//! [`Local`], which also knows who is present, within one process.
//! [`Redis`] stores everything in a Redis that many replicas share.
//! [`Vitals`] watches their long-lived threads and tasks.
//! [`SystemClock`] and [`RandomIds`] provide the machine's time and randomness.

mod bus;
mod channels;
mod clock;
mod ends;
mod ids;
mod local;
mod redis;
mod sqlite;
mod vitals;

pub use bus::Bus;
pub use clock::SystemClock;
pub use ids::RandomIds;
pub use local::Local;
pub use redis::{OpenRedisError, Redis};
pub use sqlite::{OpenError, Sqlite};
pub use vitals::{Vitals, tireless};
