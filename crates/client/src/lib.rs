//! The client core: what a client knows of a room and does about it. Plain values without DOM, clock or socket, which
//! the caller provides: `app` in the browser, or the simulation.
//!
//! In reading order: [`timeline`], [`window`], [`known`], [`outbox`] (with [`size`]), [`roster`] (with [`names`]), and
//! [`room`], which ties them together. The connection: [`approach`], [`reconnect`], [`pulse`], [`backoff`] and [`owner`]. How
//! often to show what arrives: [`pace`]. Why something was refused: [`problem`].

pub mod approach;
pub mod backoff;
pub mod known;
pub mod names;
pub mod outbox;
pub mod owner;
pub mod pace;
pub mod problem;
pub mod pulse;
pub mod reconnect;
pub mod room;
pub mod roster;
pub mod size;
pub mod timeline;
pub mod window;

#[cfg(any(test, feature = "samples"))]
pub mod samples;
