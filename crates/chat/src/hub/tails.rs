//! The latest stretch of the rooms that are followed and joined often, kept in memory, so that thousands who come back at
//! once are not thousands of reads.
//!
//! A tail is fed by the room's follower, before what it feeds is told to anybody. Whoever is told what happens from
//! now on, and then asks here, misses nothing: what is not in the tail yet is still to be told.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::{Position, RoomEvent, RoomSlug, Seq};

use crate::room::{Fill, Limit, Room, Stretch};

/// A room is worth keeping when this many have asked for it while it was followed.
const WORTH: u32 = 4;

/// The tails, by room.
#[derive(Clone, Default)]
pub struct Tails(Arc<Mutex<HashMap<RoomSlug, Tail>>>);

struct Tail {
    head: Position,
    asked: u32,
    /// None until it is known and worth keeping.
    room: Option<Room>,
    /// Consecutive, and the last one is at `head`. No more than one stretch.
    events: VecDeque<Arc<RoomEvent>>,
    /// They are as many as fit in a stretch.
    full: bool,
}

/// A follower's hold on its room's tail, which ends with it. Only the first follower of a room has one.
pub struct Feed {
    tails: Tails,
    room: Option<RoomSlug>,
}

/// What a join needs of a room.
pub struct Served {
    /// The room.
    pub room: Room,
    /// What follows the place asked for, or the latest stretch.
    pub stretch: Stretch,
}

impl Tails {
    fn tails(&self) -> MutexGuard<'_, HashMap<RoomSlug, Tail>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a tail where a follower begins.
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

    /// What follows a place, or the latest stretch; if it is all here.
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

    /// Remembers what was read because it was not here: a room, and events up to its head. `latest`: it is the latest
    /// stretch.
    pub fn learn(&self, room: &Room, stretch: &Stretch, latest: bool) {
        let mut tails = self.tails();
        let Some(tail) = tails.get_mut(&room.slug).filter(|tail| tail.asked >= WORTH) else {
            return;
        };
        // Catching up in several pages, this one does not reach the head.
        if !latest && stretch.more {
            return;
        }
        // Older than what the follower has brought meanwhile: the next one who asks tries again.
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
    /// The place of the first event here, or of the next one.
    fn first(&self) -> Seq {
        self.events
            .front()
            .map_or_else(|| self.head.seq.next(), |event| event.seq)
    }

    fn push(&mut self, event: &Arc<RoomEvent>) {
        if event.epoch != self.head.epoch || event.seq > self.head.seq.next() {
            // Not what it was: it is read anew.
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

    /// Drops what is more than a stretch.
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
    /// The follower brought these.
    pub fn events(&self, events: &[Arc<RoomEvent>]) {
        self.change(|tail| events.iter().for_each(|event| tail.push(event)));
    }

    /// The log has another life.
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

    fn head(life: u128, seq: u64) -> Position {
        Position {
            epoch: Epoch::from_random(life),
            seq: Seq::try_from(seq).unwrap(),
        }
    }

    fn event(life: u128, seq: u64) -> Arc<RoomEvent> {
        let Position { epoch, seq } = head(life, seq);
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

    fn stretch(life: u128, seqs: std::ops::RangeInclusive<u64>) -> Stretch {
        Stretch {
            head: head(life, *seqs.end()),
            more: *seqs.start() > 1,
            events: seqs.map(|seq| event(life, seq)).collect(),
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

    /// A tail at `at` that has been asked for often enough.
    fn wanted(at: u64) -> (Tails, Feed) {
        let tails = Tails::default();
        let feed = tails.feed(&RoomSlug::lobby(), &head(1, at));
        for _ in 0..WORTH {
            assert!(tails.serve(&RoomSlug::lobby(), None).is_none());
        }
        (tails, feed)
    }

    fn seqs(tails: &Tails, from: Option<(u128, u64)>) -> Option<Vec<u64>> {
        let from = from.map(|(life, seq)| {
            let Position { epoch, seq } = head(life, seq);
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
    fn a_tail_serves_what_it_has_whole() {
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
            "something is missing in between"
        );
        assert_eq!(seqs(&tails, Some((1, 62))), None, "another replica was quicker");
        assert_eq!(seqs(&tails, Some((2, 60))), None, "another life of the log");
    }

    #[test]
    fn a_young_room_is_whole_with_less() {
        let (tails, feed) = wanted(2);
        tails.learn(&lobby(), &stretch(1, 1..=2), true);
        feed.events(&[event(1, 3)]);
        assert_eq!(seqs(&tails, None), Some(vec![1, 2, 3]));
    }

    #[test]
    fn what_is_older_than_the_follower_is_not_learnt() {
        let (tails, feed) = wanted(60);
        feed.events(&[event(1, 61)]);
        tails.learn(&lobby(), &stretch(1, 11..=60), true);
        assert_eq!(seqs(&tails, None), None);
        tails.learn(&lobby(), &stretch(1, 12..=61), true);
        assert_eq!(seqs(&tails, None), Some((12..=61).collect()));
    }

    #[test]
    fn a_hole_or_another_life_empties_it() {
        let (tails, feed) = wanted(60);
        tails.learn(&lobby(), &stretch(1, 11..=60), true);
        feed.events(&[event(1, 62)]);
        assert_eq!(seqs(&tails, Some((1, 62))), None);
        tails.learn(&lobby(), &stretch(1, 13..=62), true);
        assert!(seqs(&tails, None).is_some());
        feed.reset(&head(2, 0));
        assert_eq!(seqs(&tails, None), None);
        tails.learn(&lobby(), &stretch(1, 13..=62), true);
        assert_eq!(seqs(&tails, None), None, "a stretch of the old life");
    }

    #[test]
    fn only_the_first_follower_feeds_and_its_end_is_the_tails() {
        let (tails, feed) = wanted(60);
        tails.learn(&lobby(), &stretch(1, 11..=60), true);
        drop(tails.feed(&RoomSlug::lobby(), &head(1, 60)));
        assert!(seqs(&tails, None).is_some());
        drop(feed);
        assert_eq!(seqs(&tails, None), None);
    }
}
