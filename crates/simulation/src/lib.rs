//! Checks that nothing is lost, doubled or reordered, whatever fails. Runs the real client core and the real hub with a
//! failing network, truth and bus between them, on one thread with a virtual clock. The same seed gives the same story,
//! event for event.
//!
//! In reading order: [`time`] (the clock, which also runs everything), [`world`] (dice, trace, and the bugs to find),
//! [`truth`] (what is stored), [`bus`] (who is told, and who is present), [`backend`] and [`presence`] (how a process
//! sees both), [`link`] (the network), [`server`] (a replica), [`client`] (a person with a browser), [`story`] (what
//! happens to them), [`verdict`] (whether it went well).

pub mod arrivals;
pub mod backend;
pub mod bus;
pub mod client;
pub mod link;
pub mod presence;
pub mod server;
pub mod story;
pub mod time;
pub mod truth;
pub mod verdict;
pub mod world;

pub use story::{Ending, Options, run};
pub use world::Bug;
