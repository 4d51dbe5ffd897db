//! The HTTP status of the page that is being rendered.

#[cfg(not(feature = "ssr"))]
mod absent;
#[cfg(feature = "ssr")]
mod server;

#[cfg(not(feature = "ssr"))]
pub use absent::set_status;
#[cfg(feature = "ssr")]
pub use server::set_status;
