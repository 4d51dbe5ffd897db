//! What is wrong in three figures: which messages are lost, doubled, out of order; and the sentences about them.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Violation;

/// The messages that something is wrong with. A message is named once, however many receivers it is wrong for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Acknowledged, and not shown by somebody who was there.
    pub lost: BTreeSet<String>,
    /// Shown twice by one receiver.
    pub doubled: BTreeSet<String>,
    /// Not at its place: overtaken by a later one of its sender, shown after what comes after it, or elsewhere for
    /// others. Where two receivers differ, what stands at the place in question is named by the place.
    pub out_of_order: BTreeSet<String>,
    /// Before others for one receiver and after them for another. With numbered messages that is `out_of_order` too.
    pub disagreed: BTreeSet<String>,
    /// One for each thing that is wrong, at most [`SENTENCES`].
    pub sentences: Vec<String>,
}

/// Enough to see what happened.
const SENTENCES: usize = 50;

impl Tally {
    /// Sorts violations into the three figures.
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
                // Whoever shows both has it doubled as well.
                Violation::AtTwoPlaces { client_id, .. } | Violation::OtherReceipt { client_id, .. } => {
                    tally.out_of_order.insert(client_id.as_str().to_owned());
                }
                Violation::Overtaken { later, .. } => {
                    tally.out_of_order.insert(later.as_str().to_owned());
                }
                Violation::Hole { place, .. }
                | Violation::Backwards { place, .. }
                | Violation::TwoAtOnePlace { place, .. } => {
                    tally.out_of_order.insert(place.to_string());
                }
            }
            tally.say(violation.to_string());
        }
        tally
    }

    /// Keeps a sentence, if there are not enough.
    pub(super) fn say(&mut self, sentence: String) {
        if self.sentences.len() < SENTENCES {
            self.sentences.push(sentence);
        }
    }
}
