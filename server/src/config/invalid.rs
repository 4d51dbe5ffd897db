//! Why a variable is refused.

/// A variable that cannot be used: its name, its value, what is allowed.
#[derive(Debug, thiserror::Error)]
#[error("{name}={value:?}: {allowed}")]
pub struct Invalid {
    /// As in the environment.
    pub name: &'static str,
    /// What it says.
    pub value: String,
    /// What it may say.
    pub allowed: String,
}
