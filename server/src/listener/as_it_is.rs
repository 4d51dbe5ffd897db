//! Answers that the listener passes on as they are.

/// Marks an answer whose body sees to its own account, and wants to know whether it left.
#[derive(Clone)]
pub struct AsItIs;
