//! The error for a variable that cannot be used.

/// A variable that cannot be used: its name, its value, and what is allowed.
#[derive(Debug, thiserror::Error)]
#[error("{name}={value:?}: {allowed}")]
pub struct Invalid {
    pub name: &'static str,
    pub value: String,
    pub allowed: String,
}
