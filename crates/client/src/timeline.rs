//! The part of a room that the client holds: every message of one stretch of the log, in its current form, up to the
//! newest event that it knows.

use protocol::limits::HISTORY_MESSAGES;
use protocol::{Epoch, LogEvent, Message, MessagePage, Position, Seq};

/// Maximum number of messages held. Messages dropped at the old end can be loaded again.
pub const TIMELINE_MESSAGES: usize = 20_000;

/// Messages dropped at a time: dropping them one by one would shift the whole list for each event.
const DROPPED_AT_ONCE: usize = 500;

/// Maximum number of events kept for an older page that was requested.
const KEPT: usize = 2_000;

/// The result of applying an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It was the next one, and changed this.
    Fresh(Change),
    /// The timeline has it already.
    Duplicate,
    /// Events before it are missing. Request those after `after`, then apply it again.
    Hole {
        /// The last event that is known.
        after: Seq,
    },
    /// It is from another epoch, so the timeline is void. Load the room again.
    OtherEpoch,
}

/// What an event changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// There is a new message at the end.
    Appended,
    /// This message changed.
    Changed(Seq),
    /// No message that the timeline holds.
    Nothing,
}

/// The result of adding an older page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prepended {
    /// Its messages are in the timeline.
    Added,
    /// It does not end where the timeline begins. Nothing changed.
    Misplaced,
    /// It may lack changes that the client has already seen. Nothing changed; request it again.
    Stale,
}

/// Messages, oldest first.
#[derive(Clone, Debug)]
pub struct Timeline {
    epoch: Epoch,
    first: Seq,
    last: Seq,
    messages: Vec<Message>,
    more: bool,
    awaited: Option<Awaited>,
}

/// An older page that was requested.
#[derive(Clone, Debug)]
struct Awaited {
    /// The newest event when it was requested.
    since: Seq,
    /// Later events about messages that the timeline does not hold: the page may hold them.
    events: Vec<LogEvent>,
}

impl Timeline {
    /// Creates a timeline from a page.
    pub fn new(page: MessagePage) -> Self {
        Self {
            epoch: page.covers.epoch,
            first: page.covers.first,
            last: page.covers.last,
            messages: page.messages,
            more: page.more,
            awaited: None,
        }
    }

    /// The epoch of the log.
    pub fn epoch(&self) -> &Epoch {
        &self.epoch
    }

    /// The position of the newest event.
    pub fn position(&self) -> Position {
        Position {
            epoch: self.epoch.clone(),
            seq: self.last,
        }
    }

    /// The messages, oldest first.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// The message with this `seq`, if the timeline holds it.
    pub fn message(&self, seq: Seq) -> Option<&Message> {
        let at = self.find(seq)?;
        self.messages.get(at)
    }

    fn find(&self, seq: Seq) -> Option<usize> {
        self.messages
            .binary_search_by_key(&seq, |message| message.seq)
            .ok()
    }

    /// True if the log has older messages.
    pub fn more(&self) -> bool {
        self.more
    }

    /// True if no older page fits any more.
    pub fn is_full(&self) -> bool {
        self.messages.len() + HISTORY_MESSAGES as usize > TIMELINE_MESSAGES
    }

    /// Folds in the next event, or says why it is not the next.
    pub fn apply(&mut self, event: &LogEvent) -> Applied {
        if event.epoch != self.epoch {
            return Applied::OtherEpoch;
        }
        match event.seq {
            seq if seq <= self.last => Applied::Duplicate,
            seq if seq == self.last.next() => {
                self.last = seq;
                Applied::Fresh(self.fold(event))
            }
            _ => Applied::Hole { after: self.last },
        }
    }

    fn fold(&mut self, event: &LogEvent) -> Change {
        if let Some(message) = Message::posted(event) {
            self.messages.push(message);
            if self.messages.len() > TIMELINE_MESSAGES {
                self.messages.drain(..DROPPED_AT_ONCE);
                self.first = self.messages[0].seq;
                self.more = true;
            }
            return Change::Appended;
        }
        let Some(about) = event.deed.about() else {
            return Change::Nothing;
        };
        if let Some(at) = self.find(about) {
            self.messages[at].apply(event);
            return Change::Changed(about);
        }
        if let Some(awaited) = &mut self.awaited
            && about < self.first
        {
            // One more than are kept says that some are missing.
            awaited.events.truncate(KEPT);
            awaited.events.push(event.clone());
        }
        Change::Nothing
    }

    /// Prepares for an older page. Returns the `seq` that it is to end before.
    pub fn await_older(&mut self) -> Seq {
        self.awaited = Some(Awaited {
            since: self.last,
            events: Vec::new(),
        });
        self.first
    }

    /// No older page will come.
    pub fn forget_older(&mut self) {
        self.awaited = None;
    }

    /// Adds an older page in front, with the changes that came since it was requested.
    pub fn prepend(&mut self, page: MessagePage) -> Prepended {
        let Some(awaited) = self.awaited.take() else {
            return Prepended::Misplaced;
        };
        if page.covers.epoch != self.epoch || page.covers.last.next() != self.first {
            return Prepended::Misplaced;
        }
        if page.head < awaited.since || awaited.events.len() > KEPT {
            return Prepended::Stale;
        }
        self.first = page.covers.first;
        self.more = page.more;
        self.messages.splice(0..0, page.messages);
        for event in &awaited.events {
            if let Some(at) = event.deed.about().and_then(|about| self.find(about)) {
                self.messages[at].apply(event);
            }
        }
        Prepended::Added
    }
}

#[cfg(test)]
mod tests;
