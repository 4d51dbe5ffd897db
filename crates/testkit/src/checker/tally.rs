//! Sorts violations into three sets of messages (lost, doubled, out of order), with the sentences that describe them.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Violation;

/// The messages that something is wrong with. Each is named once, however many receivers it is wrong for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Acknowledged, and not shown by a receiver that was there.
    pub lost: BTreeSet<String>,
    /// Shown twice by one receiver.
    pub doubled: BTreeSet<String>,
    /// Not at its position: overtaken by a later message of its sender, shown after its successor, or elsewhere for
    /// other receivers. Where two receivers disagree about a position, the position stands for the message.
    pub out_of_order: BTreeSet<String>,
    /// Before others for one receiver and after them for another. Numbered messages also count as `out_of_order`.
    pub disagreed: BTreeSet<String>,
    /// One for each violation, at most [`SENTENCES`].
    pub sentences: Vec<String>,
}

/// Enough sentences to see what happened.
const SENTENCES: usize = 50;

impl Tally {
    /// Sorts violations into the three sets.
    pub fn of(violations: &[Violation]) -> Self {
        let mut tally = Self::default();
        for violation in violations {
            match violation {
                Violation::Missing { client_id, .. } => {
                    tally.lost.insert(client_id.as_str().to_owned());
                }
                Violation::Doubled { client_id, .. } => {
                    tally.doubled.insert(client_id.as_str().to_owned());
                }
                // A receiver that shows both also counts as showing it twice.
                Violation::AtTwoPositions { client_id, .. } | Violation::OtherReceipt { client_id, .. } => {
                    tally.out_of_order.insert(client_id.as_str().to_owned());
                }
                Violation::Overtaken { later, .. } => {
                    tally.out_of_order.insert(later.as_str().to_owned());
                }
                Violation::Hole { position, .. }
                | Violation::Backwards { position, .. }
                | Violation::TwoAtOnePosition { position, .. } => {
                    tally.out_of_order.insert(position.to_string());
                }
            }
            tally.report(violation.to_string());
        }
        tally
    }

    /// Keeps a sentence unless there are enough.
    pub(super) fn report(&mut self, sentence: String) {
        if self.sentences.len() < SENTENCES {
            self.sentences.push(sentence);
        }
    }
}
