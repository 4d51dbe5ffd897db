//! The latest stretch of each room that is followed and joined often, in memory, so that thousands of clients that
//! reconnect at once do not cause thousands of reads.
//!
//! The room's follower feeds the tail before it passes an update on. So a client that already receives updates, and
//! then reads the tail, misses nothing: an event that is not in the tail yet has not been passed on yet.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::{Position, RoomEvent, RoomSlug, Seq};

use crate::room::{Fill, Limit, Room, Stretch};

/// A room's tail is kept after this many joins while the room is followed.
const WORTH: u32 = 4;

/// The tails, by room.
#[derive(Clone, Default)]
pub struct Tails(Arc<Mutex<HashMap<RoomSlug, Tail>>>);

struct Tail {
    head: Position,
    asked: u32,
    /// `None` until the room is known and its tail is worth keeping.
    room: Option<Room>,
    /// Consecutive events up to `head`, at most one stretch.
    events: VecDeque<Arc<RoomEvent>>,
    /// True if no more events fit into a stretch.
    full: bool,
}

/// A follower's hold on its room's tail. Dropping it drops the tail. Only the first follower of a room has one.
pub struct Feed {
    tails: Tails,
    room: Option<RoomSlug>,
}

/// What a join needs from a room.
pub struct Served {
    /// The room.
    pub room: Room,
    /// The events after the client's position, or the latest stretch.
    pub stretch: Stretch,
}

impl Tails {
    fn tails(&self) -> MutexGuard<'_, HashMap<RoomSlug, Tail>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a tail at the position where its follower starts.
    pub fn feed(&self, room: &RoomSlug, head: &Position) -> Feed {
        let mut tails = self.tails();
        let vacant = !tails.contains_key(room);
        if vacant {
            let tail = Tail {
                head: head.clone(),
                asked: 0,
                room: None,
                events: VecDeque::new(),
                full: false,
            };
            tails.insert(room.clone(), tail);
        }
        Feed {
            tails: self.clone(),
            room: vacant.then(|| room.clone()),
        }
    }

    /// The events after a position, or the latest stretch. `None` if the tail does not contain all of them.
    pub fn serve(&self, slug: &RoomSlug, from: Option<&Position>) -> Option<Served> {
        let mut tails = self.tails();
        let tail = tails.get_mut(slug)?;
        tail.asked = tail.asked.saturating_add(1);
        let room = tail.room.clone()?;
        let first = tail.first();
        let stretch = match from {
            None if first == Seq::ZERO.next() || tail.full => Stretch {
                head: tail.head.clone(),
                events: tail.events.iter().cloned().collect(),
                more: first > Seq::ZERO.next(),
            },
            Some(from)
                if from.epoch == tail.head.epoch && from.seq <= tail.head.seq && from.seq.next() >= first =>
            {
                let known = tail.events.iter().filter(|event| event.seq > from.seq);
                Stretch {
                    head: tail.head.clone(),
                    events: known.cloned().collect(),
                    more: false,
                }
            }
            _ => return None,
        };
        Some(Served { room, stretch })
    }

    /// Keeps a stretch that had to be read from storage, if it reaches the log's head. `latest`: it is the latest
    /// stretch.
    pub fn learn(&self, room: &Room, stretch: &Stretch, latest: bool) {
        let mut tails = self.tails();
        let Some(tail) = tails.get_mut(&room.slug).filter(|tail| tail.asked >= WORTH) else {
            return;
        };
        // The first of several stretches does not reach the head.
        if !latest && stretch.more {
            return;
        }
        // If the follower is ahead of this stretch by now, the next join tries again.
        let useful = stretch.head.seq > tail.head.seq
            || stretch.events.len() > tail.events.len()
            || tail.room.is_none();
        if stretch.head.epoch == tail.head.epoch && stretch.head.seq >= tail.head.seq && useful {
            tail.room = Some(room.clone());
            tail.head = stretch.head.clone();
            tail.events = stretch.events.iter().cloned().collect();
            tail.full = latest;
            tail.trim();
        }
    }
}

impl Tail {
    /// The `seq` of the first event in the tail or, if it is empty, of the next event.
    fn first(&self) -> Seq {
        self.events
            .front()
            .map_or_else(|| self.head.seq.next(), |event| event.seq)
    }

    fn push(&mut self, event: &Arc<RoomEvent>) {
        if event.epoch != self.head.epoch || event.seq > self.head.seq.next() {
            // The events do not continue the tail, so it must be read again.
            self.forget();
        } else if event.seq <= self.head.seq {
            return;
        }
        self.head = Position {
            epoch: event.epoch.clone(),
            seq: event.seq,
        };
        if self.room.is_some() {
            self.events.push_back(Arc::clone(event));
            self.trim();
        }
    }

    /// Drops the oldest events, down to one stretch.
    fn trim(&mut self) {
        let mut stretch = Fill::new(Limit::HISTORY);
        let newest_first = self.events.iter().rev();
        let kept = newest_first
            .take_while(|event| stretch.take(event.bytes()))
            .count();
        let surplus = self.events.len() - kept;
        self.events.drain(..surplus);
        self.full |= surplus > 0;
    }

    fn forget(&mut self) {
        self.room = None;
        self.events.clear();
        self.full = false;
    }
}

impl Feed {
    /// Adds events that the follower received.
    pub fn events(&self, events: &[Arc<RoomEvent>]) {
        self.change(|tail| events.iter().for_each(|event| tail.push(event)));
    }

    /// Empties the tail and continues at `head`.
    pub fn reset(&self, head: &Position) {
        self.change(|tail| {
            tail.head = head.clone();
            tail.forget();
        });
    }

    fn change(&self, change: impl FnOnce(&mut Tail)) {
        if let Some(room) = &self.room
            && let Some(tail) = self.tails.tails().get_mut(room)
        {
            change(tail);
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        if let Some(room) = &self.room {
            self.tails.tails().remove(room);
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::{
        ClientId, DisplayName, Epoch, EventBody, MessageText, Person, PersonId, RoomTitle, Timestamp,
    };

    use super::*;

    fn head(epoch: u128, seq: u64) -> Position {
        Position {
            epoch: Epoch::from_random(epoch),
            seq: Seq::try_from(seq).unwrap(),
        }
    }

    fn event(epoch: u128, seq: u64) -> Arc<RoomEvent> {
        let Position { epoch, seq } = head(epoch, seq);
        Arc::new(RoomEvent {
            room: RoomSlug::lobby(),
            epoch,
            seq,
            at: Timestamp(0),
            author: Person {
                id: PersonId::from_random(1),
                name: DisplayName::try_from("Ada".to_owned()).unwrap(),
            },
            body: EventBody::Posted {
                client_id: ClientId(protocol::Opaque::from_random(1)),
                text: MessageText::try_from("hi".to_owned()).unwrap(),
            },
        })
    }

    fn stretch(epoch: u128, seqs: std::ops::RangeInclusive<u64>) -> Stretch {
        Stretch {
            head: head(epoch, *seqs.end()),
            more: *seqs.start() > 1,
            events: seqs.map(|seq| event(epoch, seq)).collect(),
        }
    }

    fn lobby() -> Room {
        Room {
            slug: RoomSlug::lobby(),
            title: RoomTitle::try_from("Lobby".to_owned()).unwrap(),
            created_at: Timestamp(0),
            last_at: None,
        }
    }

    /// A tail at `at` that enough joins have asked for.
    fn wanted(at: u64) -> (Tails, Feed) {
        let tails = Tails::default();
        let feed = tails.feed(&RoomSlug::lobby(), &head(1, at));
        for _ in 0..WORTH {
            assert!(tails.serve(&RoomSlug::lobby(), None).is_none());
        }
        (tails, feed)
    }

    fn seqs(tails: &Tails, from: Option<(u128, u64)>) -> Option<Vec<u64>> {
        let from = from.map(|(epoch, seq)| {
            let Position { epoch, seq } = head(epoch, seq);
            Position { epoch, seq }
        });
        let served = tails.serve(&RoomSlug::lobby(), from.as_ref())?;
        Some(
            served
                .stretch
                .events
                .iter()
                .map(|event| event.seq.get())
                .collect(),
        )
    }

    #[test]
    fn a_tail_serves_only_complete_stretches() {
        let (tails, feed) = wanted(60);
        tails.learn(&lobby(), &stretch(1, 11..=60), true);
        assert_eq!(seqs(&tails, None), Some((11..=60).collect()));
        feed.events(&[event(1, 60), event(1, 61)]);
        assert_eq!(seqs(&tails, None), Some((12..=61).collect()));
        assert_eq!(seqs(&tails, Some((1, 61))), Some(vec![]));
        assert_eq!(seqs(&tails, Some((1, 59))), Some(vec![60, 61]));
        assert_eq!(seqs(&tails, Some((1, 11))), Some((12..=61).collect()));
        assert_eq!(
            seqs(&tails, Some((1, 10))),
            None,
            "an event is missing in between"
        );
        assert_eq!(seqs(&tails, Some((1, 62))), None, "another replica was quicker");
        assert_eq!(seqs(&tails, Some((2, 60))), None, "another epoch");
    }

    #[test]
    fn a_short_log_is_complete_without_a_full_stretch() {
        let (tails, feed) = wanted(2);
        tails.learn(&lobby(), &stretch(1, 1..=2), true);
        feed.events(&[event(1, 3)]);
        assert_eq!(seqs(&tails, None), Some(vec![1, 2, 3]));
    }

    #[test]
    fn stretches_older_than_the_follower_are_not_kept() {
        let (tails, feed) = wanted(60);
        feed.events(&[event(1, 61)]);
        tails.learn(&lobby(), &stretch(1, 11..=60), true);
        assert_eq!(seqs(&tails, None), None);
        tails.learn(&lobby(), &stretch(1, 12..=61), true);
        assert_eq!(seqs(&tails, None), Some((12..=61).collect()));
    }

    #[test]
    fn a_hole_or_another_epoch_empties_a_tail() {
        let (tails, feed) = wanted(60);
        tails.learn(&lobby(), &stretch(1, 11..=60), true);
        feed.events(&[event(1, 62)]);
        assert_eq!(seqs(&tails, Some((1, 62))), None);
        tails.learn(&lobby(), &stretch(1, 13..=62), true);
        assert!(seqs(&tails, None).is_some());
        feed.reset(&head(2, 0));
        assert_eq!(seqs(&tails, None), None);
        tails.learn(&lobby(), &stretch(1, 13..=62), true);
        assert_eq!(seqs(&tails, None), None, "a stretch of the old epoch");
    }

    #[test]
    fn a_tail_ends_with_its_first_follower() {
        let (tails, feed) = wanted(60);
        tails.learn(&lobby(), &stretch(1, 11..=60), true);
        drop(tails.feed(&RoomSlug::lobby(), &head(1, 60)));
        assert!(seqs(&tails, None).is_some());
        drop(feed);
        assert_eq!(seqs(&tails, None), None);
    }
}
