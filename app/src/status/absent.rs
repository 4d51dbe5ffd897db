//! In the browser a page has no status.

/// Nothing to do.
pub fn set_status(_code: u16) {}
