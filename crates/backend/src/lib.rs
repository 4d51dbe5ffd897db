//! The chat's ports on real storage.
//!
//! A truth keeps: [`Sqlite`] in one database in a data folder, or [`Postgres`] in a database that replicas share. A
//! [`Bus`] tells followers what was committed, and knows who is present: [`Local`] within one process, [`Redis`] between
//! replicas.
//! [`backup`] and [`copy`] look after a data folder from outside the server.
//! [`Vitals`] watches their long-lived threads and tasks.
//! [`SystemClock`] and [`RandomIds`] provide the machine's time and randomness.

mod bus;
mod channels;
mod clock;
mod copy;
mod deeds;
mod ends;
mod ids;
mod local;
mod numbers;
mod pages;
mod postgres;
mod redis;
mod sqlite;
mod stretch;
mod table;
mod vitals;

pub use bus::Bus;
pub use clock::SystemClock;
pub use copy::{Copied, CopyError, Progress, copy};
pub use ids::RandomIds;
pub use local::Local;
pub use postgres::{OpenPostgresError, Postgres, Sharing};
pub use redis::{OpenRedisError, Redis};
pub use sqlite::{BackupError, OpenError, Sqlite, backup};
pub use vitals::{Vitals, tireless};
