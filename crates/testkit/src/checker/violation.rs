//! What can be wrong, with a sentence for each.

use protocol::{ClientId, Seq};

use super::RoomPosition;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// Acknowledged, and not shown by a receiver that was there.
    Missing {
        /// Who should have shown it.
        receiver: String,
        /// The message.
        client_id: ClientId,
        /// Where it should be.
        position: RoomPosition,
    },
    /// Shown twice by one receiver.
    Doubled {
        /// Who showed it.
        receiver: String,
        /// The message.
        client_id: ClientId,
        /// Where it was shown the second time.
        position: RoomPosition,
    },
    /// An event was shown before its predecessors.
    Hole {
        /// Who showed it.
        receiver: String,
        /// The last event shown before.
        after: Seq,
        /// The next event shown.
        position: RoomPosition,
    },
    /// An event was shown after its successors.
    Backwards {
        /// Who showed it.
        receiver: String,
        /// The last event shown before.
        after: Seq,
        /// The next event shown.
        position: RoomPosition,
    },
    /// One position, two messages.
    TwoAtOnePosition {
        /// The position.
        position: RoomPosition,
        /// The message that some show there.
        one: ClientId,
        /// The message that others show there.
        other: ClientId,
    },
    /// One message, two positions in one log.
    AtTwoPositions {
        /// The message.
        client_id: ClientId,
        /// Where it was shown.
        one: RoomPosition,
        /// Where else it was shown.
        other: RoomPosition,
    },
    /// Acknowledged at one position, and shown or acknowledged at another.
    OtherReceipt {
        /// The message.
        client_id: ClientId,
        /// The position in the acknowledgement.
        acknowledged: RoomPosition,
        /// The other position.
        other: RoomPosition,
    },
    /// Two messages of one sender are not in the order of sending.
    Overtaken {
        /// Who sent them.
        sender: String,
        /// Sent first …
        earlier: ClientId,
        /// … and shown here.
        earlier_at: Seq,
        /// Sent afterwards …
        later: ClientId,
        /// … and shown here.
        later_at: Seq,
    },
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing {
                receiver,
                client_id,
                position,
            } => write!(
                f,
                "{receiver} does not show {client_id}, which was acknowledged at {position}"
            ),
            Self::Doubled {
                receiver,
                client_id,
                position,
            } => write!(f, "{receiver} shows {client_id} a second time at {position}"),
            Self::Hole {
                receiver,
                after,
                position,
            } => write!(
                f,
                "{receiver} shows {position} right after {after}: something is missing between"
            ),
            Self::Backwards {
                receiver,
                after,
                position,
            } => write!(f, "{receiver} shows {position} after {after}"),
            Self::TwoAtOnePosition { position, one, other } => {
                write!(f, "at {position} is {one} for some and {other} for others")
            }
            Self::AtTwoPositions {
                client_id,
                one,
                other,
            } => write!(f, "{client_id} is at {one} and at {other}"),
            Self::OtherReceipt {
                client_id,
                acknowledged,
                other,
            } => write!(
                f,
                "{client_id} was acknowledged at {acknowledged} and is at {other}"
            ),
            Self::Overtaken {
                sender,
                earlier,
                earlier_at,
                later,
                later_at,
            } => write!(
                f,
                "{sender} sent {earlier} before {later}, but they are at {earlier_at} and {later_at}"
            ),
        }
    }
}
