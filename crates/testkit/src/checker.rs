//! Checks that nothing was lost, doubled or reordered: compares what senders were promised with what receivers showed.
//!
//! Rooms and epochs are judged separately: another epoch is another log. A `client_id` must be unique among all
//! senders, as random ones are.

mod tally;
mod unnumbered;
mod violation;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use protocol::{ClientId, Epoch, LogEvent, Message, RoomSlug, Seq};

pub use tally::Tally;
pub use unnumbered::{Showing, check_unnumbered};
pub use violation::Violation;

/// One incarnation of one room's log.
pub type Log = (RoomSlug, Epoch);

/// A position in a room's log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoomPosition {
    /// The room whose log it is.
    pub room: RoomSlug,
    /// The epoch of the log.
    pub epoch: Epoch,
    /// The number in the log.
    pub seq: Seq,
}

impl fmt::Display for RoomPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.room, self.epoch, self.seq)
    }
}

impl RoomPosition {
    fn log(&self) -> Log {
        (self.room.clone(), self.epoch.clone())
    }
}

/// One message at the position where it was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its position.
    pub position: RoomPosition,
    /// Its client id.
    pub client_id: ClientId,
}

impl Shown {
    /// The message in an event, if it is one.
    pub fn of(event: &LogEvent) -> Option<Self> {
        Self::deed(event).filter(|_| matches!(event.deed, protocol::Deed::Posted { .. }))
    }

    /// Whatever a client did in an event.
    pub fn deed(event: &LogEvent) -> Option<Self> {
        Some(Self {
            position: RoomPosition {
                room: event.room.clone(),
                epoch: event.epoch.clone(),
                seq: event.seq,
            },
            client_id: event.deed.client_id()?.clone(),
        })
    }

    /// A message of this room and epoch.
    pub fn message(room: &RoomSlug, epoch: &Epoch, message: &Message) -> Self {
        Self {
            position: RoomPosition {
                room: room.clone(),
                epoch: epoch.clone(),
                seq: message.seq,
            },
            client_id: message.client_id.clone(),
        }
    }
}

/// What one sender sent, and what was acknowledged.
#[derive(Clone, Debug, Default)]
pub struct Sender {
    /// Its name in reports.
    pub name: String,
    /// Its messages, in the order of sending.
    pub sent: Vec<ClientId>,
    /// Messages that were refused and sent again later: they have no promised order.
    pub again: BTreeSet<ClientId>,
    /// What was acknowledged, and at which position.
    pub acknowledged: Vec<(ClientId, RoomPosition)>,
}

/// What one receiver showed.
#[derive(Clone, Debug, Default)]
pub struct Receiver {
    /// Its name in reports.
    pub name: String,
    /// What it showed, in that order.
    pub shown: Vec<Shown>,
    /// True if it was there from the first event of each log; otherwise it may begin anywhere.
    pub from_start: bool,
    /// True if it was there until nothing happened any more; otherwise it may end anywhere.
    pub to_end: bool,
}

/// Returns every violation. An empty list means that nothing was lost, doubled or reordered.
pub fn check(senders: &[Sender], receivers: &[Receiver]) -> Vec<Violation> {
    let mut found = Vec::new();
    let positions = agreement(receivers, &mut found);
    receipts(senders, &positions, &mut found);
    for receiver in receivers {
        stretches(receiver, &mut found);
        missing(senders, receiver, &mut found);
    }
    for sender in senders {
        order(sender, &positions, &mut found);
    }
    found
}

/// Where each message is, by log. All receivers agree: in one log a message has one position, and a position one
/// message.
type Positions = BTreeMap<ClientId, BTreeMap<Log, Seq>>;

fn agreement(receivers: &[Receiver], found: &mut Vec<Violation>) -> Positions {
    let mut positions = Positions::new();
    let mut messages: BTreeMap<&RoomPosition, &ClientId> = BTreeMap::new();
    for shown in receivers.iter().flat_map(|receiver| &receiver.shown) {
        let Shown { position, client_id } = shown;
        let other = *messages.entry(position).or_insert(client_id);
        if other != client_id {
            found.push(Violation::TwoAtOnePosition {
                position: position.clone(),
                one: other.clone(),
                other: client_id.clone(),
            });
        }
        let logs = positions.entry(client_id.clone()).or_default();
        let seq = *logs.entry(position.log()).or_insert(position.seq);
        if seq != position.seq {
            found.push(Violation::AtTwoPositions {
                client_id: client_id.clone(),
                one: RoomPosition {
                    seq,
                    ..position.clone()
                },
                other: position.clone(),
            });
        }
    }
    found.dedup();
    positions
}

/// An acknowledgement names the position at which the message is shown.
fn receipts(senders: &[Sender], positions: &Positions, found: &mut Vec<Violation>) {
    let mut promised: BTreeMap<(&ClientId, Log), Seq> = BTreeMap::new();
    for (client_id, position) in senders.iter().flat_map(|sender| &sender.acknowledged) {
        let first = *promised
            .entry((client_id, position.log()))
            .or_insert(position.seq);
        let shown = positions
            .get(client_id)
            .and_then(|logs| logs.get(&position.log()));
        for seq in [Some(first), shown.copied()].into_iter().flatten() {
            if seq != position.seq {
                found.push(Violation::OtherReceipt {
                    client_id: client_id.clone(),
                    acknowledged: position.clone(),
                    other: RoomPosition {
                        seq,
                        ..position.clone()
                    },
                });
            }
        }
    }
}

/// Each receiver shows a log in ascending order, without holes and without doubles.
fn stretches(receiver: &Receiver, found: &mut Vec<Violation>) {
    let mut seen = BTreeSet::new();
    let mut last: BTreeMap<&RoomSlug, &RoomPosition> = BTreeMap::new();
    for Shown { position, client_id } in &receiver.shown {
        if !seen.insert((client_id, position.log())) {
            found.push(Violation::Doubled {
                receiver: receiver.name.clone(),
                client_id: client_id.clone(),
                position: position.clone(),
            });
        }
        let before = last.insert(&position.room, position);
        let after = match before.filter(|before| before.epoch == position.epoch) {
            Some(before) => before.seq,
            None if receiver.from_start => Seq::ZERO,
            None => continue,
        };
        if position.seq <= after {
            found.push(Violation::Backwards {
                receiver: receiver.name.clone(),
                after,
                position: position.clone(),
            });
        } else if position.seq > after.next() {
            found.push(Violation::Hole {
                receiver: receiver.name.clone(),
                after,
                position: position.clone(),
            });
        }
    }
}

/// Every receiver that was there shows what was acknowledged. The log that it shows last has replaced those before it:
/// only that one must be complete to its end.
fn missing(senders: &[Sender], receiver: &Receiver, found: &mut Vec<Violation>) {
    let mut stretch: BTreeMap<Log, (Seq, Seq)> = BTreeMap::new();
    let mut current: BTreeMap<&RoomSlug, &Epoch> = BTreeMap::new();
    let mut shown = BTreeSet::new();
    for Shown { position, client_id } in &receiver.shown {
        let (first, last) = stretch
            .entry(position.log())
            .or_insert((position.seq, position.seq));
        (*first, *last) = ((*first).min(position.seq), (*last).max(position.seq));
        current.insert(&position.room, &position.epoch);
        shown.insert((client_id, position.log()));
    }
    for (client_id, position) in senders.iter().flat_map(|sender| &sender.acknowledged) {
        let log = position.log();
        let ends = receiver.to_end
            && current
                .get(&position.room)
                .is_none_or(|epoch| **epoch == position.epoch);
        let due = match stretch.get(&log) {
            Some((first, last)) => {
                (receiver.from_start || position.seq >= *first) && (ends || position.seq <= *last)
            }
            None => receiver.from_start && ends,
        };
        if due && !shown.contains(&(client_id, log)) {
            found.push(Violation::Missing {
                receiver: receiver.name.clone(),
                client_id: client_id.clone(),
                position: position.clone(),
            });
        }
    }
}

/// A sender's messages are in the order of sending. Messages that were sent again, after a refusal or in another epoch,
/// have no promised order.
fn order(sender: &Sender, positions: &Positions, found: &mut Vec<Violation>) {
    let mut last: BTreeMap<&Log, (Seq, &ClientId)> = BTreeMap::new();
    for client_id in &sender.sent {
        let Some(logs) = positions.get(client_id) else {
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
