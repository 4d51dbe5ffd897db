//! Nothing lost, doubled or moved, whatever fails: the real client core and the real hub, between them a network and
//! a storage that fail in every way that they may, all on one thread with a virtual clock. The same seed is the same
//! story, event for event.
//!
//! In reading order: [`time`] (the clock, which also runs everything), [`world`] (dice and trace), [`store`] (the
//! truth), [`backend`] (how a replica sees it), [`link`] (the network), [`server`] (a replica), [`client`] (a person at
//! a browser), [`story`] (what happens to them all), [`verdict`] (whether it went well).

pub mod backend;
pub mod client;
pub mod link;
pub mod server;
pub mod store;
pub mod story;
pub mod time;
pub mod verdict;
pub mod world;

pub use story::{Ending, Options, run};
