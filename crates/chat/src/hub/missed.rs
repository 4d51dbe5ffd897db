//! What a client that joins a room is missing.

use protocol::{MessagePage, Position};

use crate::room::Stretch;

/// What a client that joins is missing.
#[derive(Clone, Debug)]
pub enum Missed {
    /// Everything, or too much: the latest messages.
    Page(MessagePage),
    /// The events after its position.
    Events(Stretch),
}

/// The position at which a page was read.
pub fn head(page: &MessagePage) -> Position {
    Position {
        epoch: page.covers.epoch.clone(),
        seq: page.head,
    }
}
