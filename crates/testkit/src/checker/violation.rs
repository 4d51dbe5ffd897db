//! What can be wrong, each with its sentence.

use protocol::{ClientId, Seq};

use super::Place;

/// One thing that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// Acknowledged, and not shown by somebody who was there.
    Missing {
        /// Who should have shown it.
        receiver: String,
        /// What.
        client_id: ClientId,
        /// Where it should be.
        place: Place,
    },
    /// Shown twice by one receiver.
    Doubled {
        /// Who showed it.
        receiver: String,
        /// What.
        client_id: ClientId,
        /// Where it was shown the second time.
        place: Place,
    },
    /// Something was shown before what comes before it.
    Hole {
        /// Who showed it.
        receiver: String,
        /// The last that was shown before.
        after: Seq,
        /// Where it went on.
        place: Place,
    },
    /// Shown after what comes after it.
    Backwards {
        /// Who showed it.
        receiver: String,
        /// The last that was shown before.
        after: Seq,
        /// Where it went on.
        place: Place,
    },
    /// One place, two messages.
    TwoAtOnePlace {
        /// Where.
        place: Place,
        /// What was shown there.
        one: ClientId,
        /// And what else.
        other: ClientId,
    },
    /// One message, two places in one log.
    AtTwoPlaces {
        /// Which message.
        client_id: ClientId,
        /// Where it was shown.
        one: Place,
        /// And where else.
        other: Place,
    },
    /// Acknowledged at one place, and at another one shown or acknowledged.
    OtherReceipt {
        /// Which message.
        client_id: ClientId,
        /// The place in the acknowledgement.
        acknowledged: Place,
        /// The other place.
        other: Place,
    },
    /// Two messages of one sender, not in the order in which they were sent.
    Overtaken {
        /// Who sent them.
        sender: String,
        /// Sent first…
        earlier: ClientId,
        /// …and shown here.
        earlier_at: Seq,
        /// Sent afterwards…
        later: ClientId,
        /// …and shown here.
        later_at: Seq,
    },
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing {
                receiver,
                client_id,
                place,
            } => write!(
                f,
                "{receiver} does not show {client_id}, which was acknowledged at {place}"
            ),
            Self::Doubled {
                receiver,
                client_id,
                place,
            } => write!(f, "{receiver} shows {client_id} a second time at {place}"),
            Self::Hole {
                receiver,
                after,
                place,
            } => write!(
                f,
                "{receiver} shows {place} right after {after}: something is missing between"
            ),
            Self::Backwards {
                receiver,
                after,
                place,
            } => write!(f, "{receiver} shows {place} after {after}"),
            Self::TwoAtOnePlace { place, one, other } => {
                write!(f, "at {place} is {one} for some and {other} for others")
            }
            Self::AtTwoPlaces {
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
