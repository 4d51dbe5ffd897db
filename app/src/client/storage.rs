//! The place on this machine where unsent messages and drafts are kept: IndexedDB. The only place that knows it.

#[cfg(not(feature = "hydrate"))]
mod absent;
#[cfg(feature = "hydrate")]
mod browser;

#[cfg(not(feature = "hydrate"))]
pub use absent::*;
#[cfg(feature = "hydrate")]
pub use browser::*;

/// What is kept together. The name is the object store's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shelf {
    /// Messages that are not sent.
    Outbox,
    /// What was written and not said.
    Drafts,
}

/// A value: each part with its name.
pub type Fields = Vec<(&'static str, String)>;

impl Shelf {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Outbox, Self::Drafts];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Outbox => "outbox",
            Self::Drafts => "drafts",
        }
    }
}
