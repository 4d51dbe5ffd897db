//! The error for a variable that cannot be used.

/// A variable that cannot be used: its name, its value, and what is allowed.
#[derive(Debug, thiserror::Error)]
#[error("{name}={value:?}: {allowed}")]
pub struct Invalid {
    /// The variable's name.
    pub name: &'static str,
    /// The variable's value.
    pub value: String,
    /// What would be allowed.
    pub allowed: String,
}
