//! The tab's Socket.IO connection. The only module that knows the library.

#[cfg(not(feature = "hydrate"))]
mod absent;
#[cfg(feature = "hydrate")]
mod browser;

#[cfg(not(feature = "hydrate"))]
pub use absent::*;
#[cfg(feature = "hydrate")]
pub use browser::*;

use client::approach::Attempt;

use super::json::Json;

/// Receives the answer to a command, or `None` if there was none in time.
pub type Answer = Box<dyn FnOnce(Option<Json>)>;

/// The server events that the page listens to.
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

/// What the connection reports.
#[derive(Clone, Debug)]
pub enum Incoming {
    /// The transport is open; the namespace's `welcome` should follow.
    Opened,
    /// A heartbeat from the server.
    Ping,
    /// The namespace is connected, and commands can be emitted.
    Connected,
    /// The connection was lost, or an attempt failed.
    Lost {
        /// True if the library reconnects by itself.
        retrying: bool,
        /// The library's reason, or what the server said if it refused.
        message: String,
    },
    /// An event, with its name and payload.
    Event(&'static str, Json),
}
