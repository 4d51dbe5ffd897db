//! Checks that nothing is lost, doubled or reordered, whatever fails. Runs the real client core and the real hub with a
//! failing network and storage between them, on one thread with a virtual clock. The same seed gives the same story,
//! event for event.
//!
//! In reading order: [`time`] (the clock, which also runs everything), [`world`] (dice and trace), [`store`] (the
//! storage itself), [`backend`] (how a replica sees it), [`link`] (the network), [`server`] (a replica), [`client`] (a
//! person with a browser), [`story`] (what happens to them), [`verdict`] (whether it went well).

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
