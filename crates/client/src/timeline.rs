//! The part of a room's log that the client holds: one stretch without holes that ends at the newest event it knows.

use protocol::limits::HISTORY_EVENTS;
use protocol::{Epoch, HistoryAnswer, Position, RoomEvent, Seq};

/// Maximum number of events held. Events dropped at the old end can be loaded again.
pub const TIMELINE_EVENTS: usize = 20_000;

/// Events dropped at a time: dropping them one by one would shift the whole list for each event.
const DROPPED_AT_ONCE: usize = 500;

/// The result of applying an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It was the next one and is in the timeline now.
    Fresh,
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

/// Events without holes, in ascending order.
#[derive(Clone, Debug)]
pub struct Timeline {
    epoch: Epoch,
    last: Seq,
    events: Vec<RoomEvent>,
    more: bool,
}

impl Timeline {
    /// Creates a timeline from a page's data or the answer to `join`. `more` is true if the log has older events.
    pub fn new(head: Position, events: Vec<RoomEvent>, more: bool) -> Self {
        Self {
            epoch: head.epoch,
            last: head.seq,
            events,
            more,
        }
    }

    /// The position of the newest event.
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

    /// True if the log has older events.
    pub fn more(&self) -> bool {
        self.more
    }

    /// True if no older stretch fits any more.
    pub fn is_full(&self) -> bool {
        self.events.len() + HISTORY_EVENTS as usize > TIMELINE_EVENTS
    }

    /// Appends the next event, or says why it is not the next.
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

    /// Prepends an older stretch. Returns false and changes nothing if it does not end where the timeline begins.
    pub fn prepend(&mut self, stretch: HistoryAnswer) -> bool {
        let fits = stretch.epoch == self.epoch
            && match (stretch.events.last(), self.first()) {
                (Some(older), Some(first)) => older.seq.next() == first,
                (Some(older), None) => older.seq == self.last,
                (None, _) => true,
            };
        if fits {
            self.more = stretch.more;
            self.events.splice(0..0, stretch.events);
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{epoch, posted, seq, timeline};

    fn seqs(timeline: &Timeline) -> Vec<u64> {
        timeline.events().iter().map(|event| event.seq.get()).collect()
    }

    #[test]
    fn the_next_event_a_duplicate_a_hole_and_another_epoch() {
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
    fn only_a_stretch_that_ends_where_the_timeline_begins_is_prepended() {
        let stretch = |first, last, more| HistoryAnswer {
            epoch: epoch(1),
            events: (first..=last).map(|n| posted(n, "ada")).collect(),
            more,
        };
        let mut timeline = timeline(5, 6);
        assert!(!timeline.prepend(stretch(1, 3, false)), "a hole");
        assert!(!timeline.prepend(stretch(3, 5, false)), "an overlap");
        assert!(timeline.prepend(stretch(3, 4, true)));
        assert!(timeline.more());
        assert!(timeline.prepend(stretch(1, 2, false)));
        assert!(!timeline.more());
        assert_eq!(seqs(&timeline), [1, 2, 3, 4, 5, 6]);
        let mut other = stretch(0, 0, false);
        other.epoch = epoch(2);
        assert!(!timeline.prepend(other));
    }

    #[test]
    fn the_timeline_is_bounded() {
        let mut timeline = timeline(1, 0);
        for n in 1..=TIMELINE_EVENTS as u64 + 1 {
            assert_eq!(timeline.apply(&posted(n, "ada")), Applied::Fresh);
        }
        assert_eq!(timeline.events().len(), TIMELINE_EVENTS + 1 - DROPPED_AT_ONCE);
        assert!(timeline.more());
        assert_eq!(timeline.first(), Some(seq(DROPPED_AT_ONCE as u64 + 1)));
    }
}
