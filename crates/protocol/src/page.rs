//! Pages of messages in their current form, and stretches of events.

use serde::{Deserialize, Serialize};

use crate::ids::{Epoch, PersonId, Seq};
use crate::limits::PAGE_PEOPLE;
use crate::log::LogEvent;
use crate::message::Message;
use crate::people::Person;

/// Messages in their current form, and the stretch of the log that they come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MessagePage {
    /// The stretch of the log: every message posted in it is here.
    pub covers: Covers,
    /// The log's latest event when the page was read. Every event up to it is folded in.
    pub head: Seq,
    /// The messages, oldest first. There may be fewer than the stretch has events, because not every event posts one.
    pub messages: Vec<Message>,
    /// The people named by ids in `messages`, each once: all authors, and at most 200 people in all.
    pub people: Vec<Person>,
    /// True if there are older messages.
    pub more: bool,
}

impl MessagePage {
    /// Folds in the next event of the log. The page must cover the log up to the event before it. The page grows:
    /// dropping messages at its old end is up to the caller.
    pub fn apply(&mut self, event: &LogEvent, by: &Person) {
        self.head = event.seq;
        self.covers.last = event.seq;
        if let Some(message) = Message::posted(event) {
            self.messages.push(message);
        } else {
            let about = event.deed.about();
            let at = about.and_then(|seq| self.messages.binary_search_by_key(&seq, |known| known.seq).ok());
            let Some(message) = at.and_then(|at| self.messages.get_mut(at)) else {
                return;
            };
            message.apply(event);
            if !message.names(&by.id) {
                return;
            }
        }
        if self.people.iter().all(|known| known.id != by.id) {
            self.people.push(by.clone());
        }
    }
}

/// The people whom a page of these messages names, sorted: all authors, and others up to a limit.
pub fn named(messages: &[Message]) -> Vec<&PersonId> {
    let mut ids: Vec<&PersonId> = messages.iter().map(|message| &message.by).collect();
    ids.sort_unstable();
    ids.dedup();
    let reactions = messages.iter().flat_map(|message| &message.reactions);
    for id in reactions.flat_map(|reaction| &reaction.by) {
        if ids.len() >= PAGE_PEOPLE {
            break;
        }
        if let Err(at) = ids.binary_search(&id) {
            ids.insert(at, id);
        }
    }
    ids
}

/// A stretch of a log, from `first` to `last`. Empty if `last` is less than `first`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Covers {
    /// The log's epoch.
    pub epoch: Epoch,
    /// The stretch's first event.
    pub first: Seq,
    /// The stretch's last event.
    pub last: Seq,
}

/// Events of a log without holes, and the people in them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct EventStretch {
    /// The epoch of the log that `events` come from.
    pub epoch: Epoch,
    /// The events in order, without holes.
    pub events: Vec<LogEvent>,
    /// The people who caused them, each once.
    pub people: Vec<Person>,
    /// True if there are newer events.
    pub more: bool,
}
