//! Collects a room's updates, so that few packets carry them.

use std::collections::HashSet;
use std::sync::Arc;

use protocol::{Position, PresenceList, PresenceUpdate, RoomSlug, RosterUpdate, TypingUpdate};

use crate::error::StoreError;
use crate::hub::RoomUpdate;
use crate::ports::PresenceChange;
use crate::room::Entry;

/// The most events of one packet.
const EVENTS: usize = 200;
/// About the most bytes of one packet. One update of the log is never divided, so a packet has at most this plus
/// [`protocol::limits::CATCH_UP_BYTES`].
const BYTES: usize = 64 * 1024;
/// The most changes of presence and typing that wait for the next packet.
const CHANGES: usize = 5_000;
/// If more people than this came or went at once, clients get the roster instead. It is bounded; the changes are not.
const MANY: usize = 100;

/// The updates that wait to be sent.
#[derive(Default)]
pub struct Pack {
    /// Events of the log, in order.
    pub entries: Vec<Arc<Entry>>,
    /// Changes of presence and typing, in order.
    pub changes: Vec<PresenceChange>,
    /// The whole roster, from before `changes`.
    pub roster: Option<PresenceList>,
    /// True if all clients must join again.
    pub reset: bool,
    /// The log's head once this is sent. `None` if it contains nothing of the log.
    pub head: Option<Position>,
    bytes: usize,
}

impl Pack {
    /// Adds an update.
    ///
    /// # Errors
    /// The room is lost. No more updates will come.
    pub fn take(&mut self, update: RoomUpdate) -> Result<(), Arc<StoreError>> {
        match update {
            RoomUpdate::Events(entries) => {
                self.bytes += entries.iter().map(|entry| entry.bytes()).sum::<usize>();
                self.head = entries.last().map(|last| Position {
                    epoch: last.event.epoch.clone(),
                    seq: last.event.seq,
                });
                self.entries.extend(entries);
            }
            RoomUpdate::Reset(head) => {
                self.reset = true;
                self.head = Some(head);
            }
            RoomUpdate::Roster(roster) => {
                // The roster makes earlier arrivals and departures redundant.
                self.changes
                    .retain(|change| matches!(change, PresenceChange::Typing(..)));
                self.roster = Some(roster);
            }
            RoomUpdate::Presence(change) => self.changes.push(change),
            RoomUpdate::Lost(error) => return Err(error),
        }
        Ok(())
    }

    /// True if it contains nothing of the log.
    pub fn has_no_log(&self) -> bool {
        self.entries.is_empty() && !self.reset
    }

    /// True if it contains nothing about presence.
    pub fn has_no_presence(&self) -> bool {
        self.changes.is_empty() && self.roster.is_none()
    }

    /// True if it contains enough for one packet. Nothing follows a reset: events after it would arrive before it.
    pub fn is_full(&self) -> bool {
        self.reset || self.entries.len() >= EVENTS || self.bytes >= BYTES || self.changes.len() >= CHANGES
    }

    /// Takes out what belongs to the log and leaves what is about presence.
    pub fn take_log(&mut self) -> Self {
        let people = Self {
            changes: std::mem::take(&mut self.changes),
            roster: self.roster.take(),
            ..Self::default()
        };
        std::mem::replace(self, people)
    }

    /// The whole roster, if it must be sent.
    pub fn roster(&self, room: &RoomSlug) -> Option<RosterUpdate> {
        let roster = self.roster.clone()?;
        Some(RosterUpdate {
            room: room.clone(),
            roster,
        })
    }

    /// The people who came and went, each as the last change of them says, if there were any.
    ///
    /// A change and its opposite do not cancel out: a client may have read a roster that has one of them already.
    pub fn presence(&self, room: &RoomSlug) -> Option<PresenceUpdate> {
        let (mut entered, mut left, mut now) = (Vec::new(), Vec::new(), None);
        let mut known = HashSet::new();
        for change in self.changes.iter().rev() {
            let (person, here, list) = match change {
                PresenceChange::Entered(person, here) => (person, here, &mut entered),
                PresenceChange::Left(person, here) => (person, here, &mut left),
                PresenceChange::Typing(..) | PresenceChange::Unsure => continue,
            };
            now.get_or_insert(*here);
            if known.insert(&person.id) {
                list.push(person.clone());
            }
        }
        entered.reverse();
        left.reverse();
        now.map(|here| PresenceUpdate {
            room: room.clone(),
            entered,
            left,
            here,
        })
    }

    /// Splits off the events from everything else.
    pub fn apart(&self) -> (Self, Self) {
        let messages = Self {
            entries: self.entries.clone(),
            ..Self::default()
        };
        let rest = Self {
            changes: self.changes.clone(),
            roster: self.roster.clone(),
            reset: self.reset,
            ..Self::default()
        };
        (messages, rest)
    }

    /// True if so many people came or went that clients should get the roster instead.
    pub fn is_crowd(update: &PresenceUpdate) -> bool {
        update.entered.len() + update.left.len() > MANY
    }

    /// The last change of typing of each person.
    pub fn typing(&self, room: &RoomSlug) -> Vec<TypingUpdate> {
        let mut updates = Vec::<TypingUpdate>::new();
        for change in &self.changes {
            if let PresenceChange::Typing(person, typing) = change {
                updates.retain(|update| update.person.id != person.id);
                updates.push(TypingUpdate {
                    room: room.clone(),
                    person: person.clone(),
                    typing: *typing,
                });
            }
        }
        updates
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{DisplayName, Person, PersonId};

    fn person(n: u128) -> Person {
        Person {
            id: PersonId::from_random(n),
            name: DisplayName::try_from(format!("p{n}")).unwrap(),
        }
    }

    #[test]
    fn the_last_change_of_a_person_counts() {
        let mut pack = Pack::default();
        let (a, b) = (person(1), person(2));
        for change in [
            PresenceChange::Entered(a.clone(), 1),
            PresenceChange::Left(a.clone(), 0),
            PresenceChange::Typing(b.clone(), true),
            PresenceChange::Left(b.clone(), 0),
            PresenceChange::Entered(b.clone(), 1),
            PresenceChange::Typing(b.clone(), false),
        ] {
            pack.take(RoomUpdate::Presence(change)).unwrap();
        }
        let update = pack.presence(&RoomSlug::lobby()).unwrap();
        assert_eq!(
            (update.entered, update.left, update.here),
            (vec![b.clone()], vec![a], 1),
            "whatever the roster was that they knew before"
        );
        let typing = pack.typing(&RoomSlug::lobby());
        assert_eq!(typing.len(), 1);
        assert!(!typing[0].typing);
    }

    #[test]
    fn a_roster_replaces_the_changes_before_it() {
        let mut pack = Pack::default();
        assert!(pack.has_no_log() && pack.has_no_presence());
        let (a, b) = (person(1), person(2));
        pack.take(RoomUpdate::Presence(PresenceChange::Entered(a.clone(), 1)))
            .unwrap();
        pack.take(RoomUpdate::Presence(PresenceChange::Typing(a.clone(), true)))
            .unwrap();
        pack.take(RoomUpdate::Roster(PresenceList {
            people: vec![a],
            here: 1,
            stale: false,
        }))
        .unwrap();
        pack.take(RoomUpdate::Presence(PresenceChange::Entered(b.clone(), 2)))
            .unwrap();
        let lobby = RoomSlug::lobby();
        assert_eq!(pack.roster(&lobby).map(|told| told.roster.here), Some(1));
        let update = pack.presence(&lobby).unwrap();
        assert_eq!((update.entered, update.here), (vec![b], 2));
        assert_eq!(pack.typing(&lobby).len(), 1);
        pack.take(RoomUpdate::Reset(Position {
            epoch: protocol::Epoch::from_random(1),
            seq: protocol::Seq::ZERO,
        }))
        .unwrap();
        assert!(pack.is_full(), "what comes after the reset is sent after it");
        let log = pack.take_log();
        assert!(log.reset && log.has_no_presence());
        assert!(pack.has_no_log() && pack.roster(&lobby).is_some() && pack.presence(&lobby).is_some());
    }
}
