//! What only a browser knows or can do: the time zone, the page's theme and visibility, focus, scrolling, history.

#[cfg(not(feature = "hydrate"))]
mod absent;
#[cfg(feature = "hydrate")]
mod browser;
#[cfg(feature = "hydrate")]
mod characters;
#[cfg(feature = "hydrate")]
mod focus;
#[cfg(feature = "hydrate")]
mod history;
#[cfg(feature = "hydrate")]
mod scroll_anchor;

#[cfg(not(feature = "hydrate"))]
pub use absent::*;
#[cfg(feature = "hydrate")]
pub use browser::*;
#[cfg(feature = "hydrate")]
pub use characters::{first_character, lower, upper};
#[cfg(feature = "hydrate")]
pub use focus::{came_from_here, focus, focus_composer, move_focus_in_log, nothing_focused, one_tab_stop};
#[cfg(feature = "hydrate")]
pub use history::{address, follow, push, restore_scroll};
#[cfg(feature = "hydrate")]
pub use scroll_anchor::{AnchorKeeper, keep_anchor, note_anchor, scroll_to_end};

/// A reader closer to the bottom than this is at the bottom and follows new messages, in CSS pixels.
pub const BOTTOM_PX: i32 = 40;
