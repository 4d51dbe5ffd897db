//! JSON from outside: from the socket, from the page, from the server. The browser has parsed it already; here it
//! becomes the protocol's types.

#[cfg(not(feature = "hydrate"))]
mod absent;
#[cfg(feature = "hydrate")]
mod browser;

#[cfg(not(feature = "hydrate"))]
pub use absent::*;
#[cfg(feature = "hydrate")]
pub use browser::*;
