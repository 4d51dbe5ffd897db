//! What only a browser knows: the time zone, the theme on the page, whether anybody is looking.

#[cfg(not(feature = "hydrate"))]
mod absent;
#[cfg(feature = "hydrate")]
mod browser;
#[cfg(feature = "hydrate")]
mod history;
#[cfg(feature = "hydrate")]
mod place;

#[cfg(not(feature = "hydrate"))]
pub use absent::*;
#[cfg(feature = "hydrate")]
pub use browser::*;
#[cfg(feature = "hydrate")]
pub use history::{address, follow, push};
#[cfg(feature = "hydrate")]
pub use place::{Keeper, keep_place, note_place, scroll_to_end};
