//! Answers that the listener passes on unchanged.

/// Marks an answer whose body keeps its own account and needs to know whether it was sent.
#[derive(Clone)]
pub struct AsItIs;
