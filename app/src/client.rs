//! The live part of the page. The core consists of plain values without DOM, clock or socket. In reading order:
//! [`timeline`], [`window`], [`outbox`], [`roster`], [`rows`], and [`room`], which ties them together. [`live`] drives
//! the core in the browser through [`socket`] and [`platform`], which do nothing on the server.

pub mod approach;
pub mod backoff;
pub mod calendar;
pub mod composing;
pub mod hue;
pub mod json;
pub mod kept;
pub mod links;
pub mod live;
pub mod names;
pub mod navigation;
pub mod outbox;
pub mod owner;
pub mod pace;
pub mod platform;
pub mod pulse;
pub mod reconnect;
pub mod returned;
pub mod room;
pub mod roster;
pub mod rows;
pub mod size;
pub mod socket;
pub mod storage;
pub mod store;
pub mod timeline;
pub mod window;

#[cfg(test)]
pub(crate) mod samples;
