//! The same checks for messages without numbers, as in a chat that only relays them: what counts is the order in which
//! each receiver showed them.

use std::collections::{BTreeSet, HashMap};

use protocol::ClientId;

use super::{Sender, Tally};

/// What one receiver showed, in that order, from the beginning to the end.
#[derive(Clone, Debug, Default)]
pub struct Showing {
    /// Its name in reports.
    pub name: String,
    /// The messages shown.
    pub shown: Vec<ClientId>,
}

/// Compares what senders were promised with what receivers showed. Only receivers that should see everything belong
/// here. Without numbers there is no order to compare with, so each receiver is compared with the first.
pub fn check_unnumbered(senders: &[Sender], showings: &[Showing]) -> Tally {
    let mut tally = Tally::default();
    let common: HashMap<&ClientId, usize> = showings.first().map(ranks).unwrap_or_default();
    for showing in showings {
        let rank = ranks(showing);
        twice(showing, &mut tally);
        for sender in senders {
            for (client_id, _) in &sender.acknowledged {
                if !rank.contains_key(client_id) {
                    tally.lost.insert(client_id.as_str().to_owned());
                    tally.report(format!(
                        "{} does not show {client_id}, which was acknowledged",
                        showing.name
                    ));
                }
            }
            let own = sender.sent.iter().filter_map(|id| Some((id, *rank.get(id)?)));
            for late in overtaken(own) {
                tally.out_of_order.insert(late.as_str().to_owned());
                tally.report(format!(
                    "{} shows {late} before an earlier one of {}",
                    showing.name, sender.name
                ));
            }
        }
        let mut mine: Vec<_> = rank.iter().map(|(id, n)| (*n, *id)).collect();
        mine.sort_unstable();
        let others = mine.iter().filter_map(|(_, id)| Some((*id, *common.get(id)?)));
        for late in overtaken(others) {
            tally.disagreed.insert(late.as_str().to_owned());
        }
    }
    tally
}

/// The index at which each message was shown first.
fn ranks(showing: &Showing) -> HashMap<&ClientId, usize> {
    let mut ranks = HashMap::new();
    for (n, client_id) in showing.shown.iter().enumerate() {
        ranks.entry(client_id).or_insert(n);
    }
    ranks
}

fn twice(showing: &Showing, tally: &mut Tally) {
    let mut seen = BTreeSet::new();
    for client_id in &showing.shown {
        if !seen.insert(client_id) {
            tally.doubled.insert(client_id.as_str().to_owned());
            tally.report(format!("{} shows {client_id} a second time", showing.name));
        }
    }
}

/// The messages that come after one that ranks later.
fn overtaken<'a>(in_order: impl Iterator<Item = (&'a ClientId, usize)>) -> Vec<&'a ClientId> {
    let mut furthest = 0;
    let mut late = Vec::new();
    for (client_id, rank) in in_order {
        if rank < furthest {
            late.push(client_id);
        }
        furthest = furthest.max(rank);
    }
    late
}
