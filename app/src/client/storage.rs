//! Storage for unsent messages and drafts on this device: IndexedDB. The only module that knows it.

#[cfg(not(feature = "hydrate"))]
mod absent;
#[cfg(feature = "hydrate")]
mod browser;

#[cfg(not(feature = "hydrate"))]
pub use absent::*;
#[cfg(feature = "hydrate")]
pub use browser::*;

/// An object store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shelf {
    /// Unsent messages.
    Outbox,
    /// Drafts.
    Drafts,
}

/// The fields of a value, with their names.
pub type Fields = Vec<(&'static str, String)>;

impl Shelf {
    /// All object stores.
    pub const ALL: [Self; 2] = [Self::Outbox, Self::Drafts];

    /// The object store's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Outbox => "outbox",
            Self::Drafts => "drafts",
        }
    }
}
