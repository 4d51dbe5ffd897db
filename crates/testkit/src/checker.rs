//! Nothing lost, doubled or moved: what senders were promised, held against what receivers showed.
//!
//! Everything is judged per room and epoch: another epoch is another log. A `client_id` must be unique among all
//! senders, as random ones are.

mod tally;
mod unnumbered;
mod violation;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use protocol::{ClientId, Epoch, RoomEvent, RoomSlug, Seq};

pub use tally::Tally;
pub use unnumbered::{Showing, check_unnumbered};
pub use violation::Violation;

/// One life of one room's log.
pub type Log = (RoomSlug, Epoch);

/// A place in a room's log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Whose log.
    pub room: RoomSlug,
    /// Which life of it.
    pub epoch: Epoch,
    /// Where in it.
    pub seq: Seq,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.room, self.epoch, self.seq)
    }
}

impl Place {
    fn log(&self) -> Log {
        (self.room.clone(), self.epoch.clone())
    }
}

/// One message at the place where it was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Where.
    pub place: Place,
    /// Which message.
    pub client_id: ClientId,
}

impl Shown {
    /// What an event shows, if it is a message.
    pub fn of(event: &RoomEvent) -> Option<Self> {
        let protocol::EventBody::Posted { client_id, .. } = &event.body else {
            return None;
        };
        Some(Self {
            place: Place {
                room: event.room.clone(),
                epoch: event.epoch.clone(),
                seq: event.seq,
            },
            client_id: client_id.clone(),
        })
    }
}

/// What one sender did and was told.
#[derive(Clone, Debug, Default)]
pub struct Sender {
    /// For the sentences.
    pub name: String,
    /// Its messages, in the order in which it sent them.
    pub sent: Vec<ClientId>,
    /// Those of them that were refused and then said again: they have lost their place in the order.
    pub again: BTreeSet<ClientId>,
    /// What was acknowledged, and at which place.
    pub acknowledged: Vec<(ClientId, Place)>,
}

/// What one receiver showed.
#[derive(Clone, Debug, Default)]
pub struct Receiver {
    /// For the sentences.
    pub name: String,
    /// In the order in which it was shown.
    pub shown: Vec<Shown>,
    /// Whether it was there from the first event of each log. Otherwise it begins wherever it begins.
    pub from_start: bool,
    /// Whether it was there until nothing happened any more. Otherwise it ends wherever it ends.
    pub to_end: bool,
}

/// Everything that is not as it must be; empty: nothing was lost, doubled or moved.
pub fn check(senders: &[Sender], receivers: &[Receiver]) -> Vec<Violation> {
    let mut found = Vec::new();
    let places = agreement(receivers, &mut found);
    receipts(senders, &places, &mut found);
    for receiver in receivers {
        stretches(receiver, &mut found);
        missing(senders, receiver, &mut found);
    }
    for sender in senders {
        order(sender, &places, &mut found);
    }
    found
}

/// Where each message is, by log. In each log a message has one place and a place has one message, whoever shows it.
type Places = BTreeMap<ClientId, BTreeMap<Log, Seq>>;

fn agreement(receivers: &[Receiver], found: &mut Vec<Violation>) -> Places {
    let mut places = Places::new();
    let mut messages: BTreeMap<&Place, &ClientId> = BTreeMap::new();
    for shown in receivers.iter().flat_map(|receiver| &receiver.shown) {
        let Shown { place, client_id } = shown;
        let other = *messages.entry(place).or_insert(client_id);
        if other != client_id {
            found.push(Violation::TwoAtOnePlace {
                place: place.clone(),
                one: other.clone(),
                other: client_id.clone(),
            });
        }
        let logs = places.entry(client_id.clone()).or_default();
        let seq = *logs.entry(place.log()).or_insert(place.seq);
        if seq != place.seq {
            found.push(Violation::AtTwoPlaces {
                client_id: client_id.clone(),
                one: Place { seq, ..place.clone() },
                other: place.clone(),
            });
        }
    }
    found.dedup();
    places
}

/// An acknowledgement names the place where the message is shown.
fn receipts(senders: &[Sender], places: &Places, found: &mut Vec<Violation>) {
    let mut promised: BTreeMap<(&ClientId, Log), Seq> = BTreeMap::new();
    for (client_id, place) in senders.iter().flat_map(|sender| &sender.acknowledged) {
        let first = *promised.entry((client_id, place.log())).or_insert(place.seq);
        let shown = places.get(client_id).and_then(|logs| logs.get(&place.log()));
        for seq in [Some(first), shown.copied()].into_iter().flatten() {
            if seq != place.seq {
                found.push(Violation::OtherReceipt {
                    client_id: client_id.clone(),
                    acknowledged: place.clone(),
                    other: Place { seq, ..place.clone() },
                });
            }
        }
    }
}

/// What one receiver showed of a log is unbroken, ascending and without doubles.
fn stretches(receiver: &Receiver, found: &mut Vec<Violation>) {
    let mut seen = BTreeSet::new();
    let mut last: BTreeMap<&RoomSlug, &Place> = BTreeMap::new();
    for Shown { place, client_id } in &receiver.shown {
        if !seen.insert((client_id, place.log())) {
            found.push(Violation::Doubled {
                receiver: receiver.name.clone(),
                client_id: client_id.clone(),
                place: place.clone(),
            });
        }
        let before = last.insert(&place.room, place);
        let after = match before.filter(|before| before.epoch == place.epoch) {
            Some(before) => before.seq,
            None if receiver.from_start => Seq::ZERO,
            None => continue,
        };
        if place.seq <= after {
            found.push(Violation::Backwards {
                receiver: receiver.name.clone(),
                after,
                place: place.clone(),
            });
        } else if place.seq > after.next() {
            found.push(Violation::Hole {
                receiver: receiver.name.clone(),
                after,
                place: place.clone(),
            });
        }
    }
}

/// What was acknowledged is shown by everybody who was there. The log that a receiver shows last has replaced those
/// before it: only of that one it must have the end.
fn missing(senders: &[Sender], receiver: &Receiver, found: &mut Vec<Violation>) {
    let mut stretch: BTreeMap<Log, (Seq, Seq)> = BTreeMap::new();
    let mut current: BTreeMap<&RoomSlug, &Epoch> = BTreeMap::new();
    let mut shown = BTreeSet::new();
    for Shown { place, client_id } in &receiver.shown {
        let (first, last) = stretch.entry(place.log()).or_insert((place.seq, place.seq));
        (*first, *last) = ((*first).min(place.seq), (*last).max(place.seq));
        current.insert(&place.room, &place.epoch);
        shown.insert((client_id, place.log()));
    }
    for (client_id, place) in senders.iter().flat_map(|sender| &sender.acknowledged) {
        let log = place.log();
        let ends = receiver.to_end
            && current
                .get(&place.room)
                .is_none_or(|epoch| **epoch == place.epoch);
        let due = match stretch.get(&log) {
            Some((first, last)) => {
                (receiver.from_start || place.seq >= *first) && (ends || place.seq <= *last)
            }
            None => receiver.from_start && ends,
        };
        if due && !shown.contains(&(client_id, log)) {
            found.push(Violation::Missing {
                receiver: receiver.name.clone(),
                client_id: client_id.clone(),
                place: place.clone(),
            });
        }
    }
}

/// A sender's messages are in the order in which they were sent. What had to be said again, after a refusal or in
/// another life of the log, has no promised place.
fn order(sender: &Sender, places: &Places, found: &mut Vec<Violation>) {
    let mut last: BTreeMap<&Log, (Seq, &ClientId)> = BTreeMap::new();
    for client_id in &sender.sent {
        let Some(logs) = places.get(client_id) else {
            continue;
        };
        if sender.again.contains(client_id) || logs.len() > 1 {
            continue;
        }
        for (log, seq) in logs {
            if let Some((before, earlier)) = last.get(log).filter(|(before, _)| before > seq) {
                found.push(Violation::Overtaken {
                    sender: sender.name.clone(),
                    earlier: (*earlier).clone(),
                    earlier_at: *before,
                    later: client_id.clone(),
                    later_at: *seq,
                });
            } else {
                last.insert(log, (*seq, client_id));
            }
        }
    }
}
