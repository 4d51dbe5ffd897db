//! The Socket.IO connection: the only place that knows the library. One per tab.

#[cfg(not(feature = "hydrate"))]
mod absent;
#[cfg(feature = "hydrate")]
mod browser;

#[cfg(not(feature = "hydrate"))]
pub use absent::*;
#[cfg(feature = "hydrate")]
pub use browser::*;

use super::approach::Attempt;
use super::json::Json;

/// What to do with the answer to a command.
pub type Answer = Box<dyn FnOnce(Option<Json>)>;

/// The server's events that the page listens to.
pub const EVENTS: [&str; 8] = [
    "welcome",
    "events",
    "presence",
    "roster",
    "typing",
    "reset",
    "come_back",
    "signed_out",
];

/// What the connection tells.
#[derive(Clone, Debug)]
pub enum Incoming {
    /// The server was reached: the namespace's `welcome` is to follow.
    Opened,
    /// The server asks whether we live.
    Ping,
    /// There is a connection, and commands can be emitted.
    Connected,
    /// There is none any more, or an attempt failed. `by_itself`: the library is trying again already.
    Lost {
        /// Whether the library tries again without being asked.
        by_itself: bool,
        /// The library's reason, or what the server said if it refused.
        message: String,
    },
    /// An event: its name, and its payload.
    Event(&'static str, Json),
}
