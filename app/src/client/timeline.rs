//! The part of a room's log that the client holds: one unbroken stretch that ends at the newest event it knows.

use protocol::limits::HISTORY_EVENTS;
use protocol::{Epoch, HistoryAnswer, Position, RoomEvent, Seq};

/// Events held at most. What is dropped at the old end can be loaded again like any older page.
pub const TIMELINE_EVENTS: usize = 20_000;

/// How many go at once when there are too many: dropping one by one would shift the whole list for each event.
const DROPPED_AT_ONCE: usize = 500;

/// What an event meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The next one: it is in the timeline now.
    Fresh,
    /// Known already.
    Duplicate,
    /// Something before it is missing; ask for what follows `after`, then apply it again.
    Hole {
        /// The last event that is known.
        after: Seq,
    },
    /// From another life of the log: nothing held here is true any more. Reload the room.
    OtherEpoch,
}

/// Events without holes, ascending, up to the last that is known.
#[derive(Clone, Debug)]
pub struct Timeline {
    epoch: Epoch,
    last: Seq,
    events: Vec<RoomEvent>,
    more: bool,
}

impl Timeline {
    /// What a page or an answer to `join` brought. `more`: whether there are older events than these.
    pub fn new(head: Position, events: Vec<RoomEvent>, more: bool) -> Self {
        Self {
            epoch: head.epoch,
            last: head.seq,
            events,
            more,
        }
    }

    /// Where to continue from.
    pub fn position(&self) -> Position {
        Position {
            epoch: self.epoch.clone(),
            seq: self.last,
        }
    }

    /// The events, oldest first.
    pub fn events(&self) -> &[RoomEvent] {
        &self.events
    }

    /// The oldest event held.
    pub fn first(&self) -> Option<Seq> {
        self.events.first().map(|event| event.seq)
    }

    /// Whether there are older events in the log.
    pub fn more(&self) -> bool {
        self.more
    }

    /// Whether no older page fits in front any more.
    pub fn is_full(&self) -> bool {
        self.events.len() + HISTORY_EVENTS as usize > TIMELINE_EVENTS
    }

    /// Takes the next event, or says why it is not the next.
    pub fn apply(&mut self, event: &RoomEvent) -> Applied {
        if event.epoch != self.epoch {
            return Applied::OtherEpoch;
        }
        match event.seq {
            seq if seq <= self.last => Applied::Duplicate,
            seq if seq == self.last.next() => {
                self.last = seq;
                self.events.push(event.clone());
                if self.events.len() > TIMELINE_EVENTS {
                    self.events.drain(..DROPPED_AT_ONCE);
                    self.more = true;
                }
                Applied::Fresh
            }
            _ => Applied::Hole { after: self.last },
        }
    }

    /// Puts an older page in front. False, and nothing changed, if it does not end where the timeline begins.
    pub fn prepend(&mut self, page: HistoryAnswer) -> bool {
        let fits = page.epoch == self.epoch
            && match (page.events.last(), self.first()) {
                (Some(older), Some(first)) => older.seq.next() == first,
                (Some(older), None) => older.seq == self.last,
                (None, _) => true,
            };
        if fits {
            self.more = page.more;
            self.events.splice(0..0, page.events);
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::samples::{epoch, posted, seq, timeline};

    fn seqs(timeline: &Timeline) -> Vec<u64> {
        timeline.events().iter().map(|event| event.seq.get()).collect()
    }

    #[test]
    fn the_next_event_a_known_one_a_hole_and_another_life() {
        let mut timeline = timeline(1, 2);
        assert_eq!(timeline.apply(&posted(3, "ada")), Applied::Fresh);
        assert_eq!(timeline.apply(&posted(3, "ada")), Applied::Duplicate);
        assert_eq!(timeline.apply(&posted(1, "ada")), Applied::Duplicate);
        assert_eq!(timeline.apply(&posted(5, "ada")), Applied::Hole { after: seq(3) });
        let mut other = posted(4, "ada");
        other.epoch = epoch(2);
        assert_eq!(timeline.apply(&other), Applied::OtherEpoch);
        assert_eq!(seqs(&timeline), [1, 2, 3]);
        assert_eq!(timeline.position().seq, seq(3));
    }

    #[test]
    fn an_empty_room_starts_at_one() {
        let mut timeline = timeline(1, 0);
        assert_eq!(timeline.apply(&posted(2, "ada")), Applied::Hole { after: seq(0) });
        assert_eq!(timeline.apply(&posted(1, "ada")), Applied::Fresh);
    }

    #[test]
    fn only_a_page_that_ends_where_the_timeline_begins_fits_in_front() {
        let page = |first, last, more| HistoryAnswer {
            epoch: epoch(1),
            events: (first..=last).map(|n| posted(n, "ada")).collect(),
            more,
        };
        let mut timeline = timeline(5, 6);
        assert!(!timeline.prepend(page(1, 3, false)), "a hole");
        assert!(!timeline.prepend(page(3, 5, false)), "an overlap");
        assert!(timeline.prepend(page(3, 4, true)));
        assert!(timeline.more());
        assert!(timeline.prepend(page(1, 2, false)));
        assert!(!timeline.more());
        assert_eq!(seqs(&timeline), [1, 2, 3, 4, 5, 6]);
        let mut other = page(0, 0, false);
        other.epoch = epoch(2);
        assert!(!timeline.prepend(other));
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let mut timeline = timeline(1, 0);
        for n in 1..=TIMELINE_EVENTS as u64 + 1 {
            assert_eq!(timeline.apply(&posted(n, "ada")), Applied::Fresh);
        }
        assert_eq!(timeline.events().len(), TIMELINE_EVENTS + 1 - DROPPED_AT_ONCE);
        assert!(timeline.more());
        assert_eq!(timeline.first(), Some(seq(DROPPED_AT_ONCE as u64 + 1)));
    }
}
