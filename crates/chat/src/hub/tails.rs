//! The latest messages and events of each room that is followed and joined often, in memory, so that thousands of
//! clients that reconnect at once do not cause thousands of reads. A follower that starts has read the latest messages,
//! and passes them to the first join.
//!
//! The room's follower feeds the tail before it passes an update on. So a client that already receives updates, and
//! then reads the tail, misses nothing: an event that is not in the tail yet has not been passed on yet.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::limits::PAGE_PEOPLE;
use protocol::page::named;
use protocol::{Deed, MessagePage, Position, RoomSlug, Seq};

use super::missed::{Missed, head};
use crate::room::{Entry, Fill, Limit, Opened, Room, Stretch};

/// A room's tail is kept after this many joins while the room is followed.
const WORTH: u32 = 4;

/// The tails, by room.
#[derive(Clone, Default)]
pub struct Tails(Arc<Mutex<HashMap<RoomSlug, Tail>>>);

struct Tail {
    head: Position,
    asked: u32,
    /// The room, if it is known.
    room: Option<Room>,
    /// Consecutive events up to `head`, at most one stretch. None until the tail is worth keeping.
    entries: VecDeque<Arc<Entry>>,
    /// The latest messages, as they are at `head`. Until the tail is worth keeping, the first join takes them away.
    page: Option<MessagePage>,
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
    /// The events after the client's position, or the latest messages.
    pub missed: Missed,
}

impl Tails {
    fn tails(&self) -> MutexGuard<'_, HashMap<RoomSlug, Tail>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a tail at the position where its follower starts, with what the follower has read there.
    pub fn feed(&self, room: &RoomSlug, head: &Position, opened: Option<Opened>) -> Feed {
        let mut tails = self.tails();
        let vacant = !tails.contains_key(room);
        if vacant {
            let (known, page) = opened.map(|opened| (opened.room, opened.page)).unzip();
            let tail = Tail {
                head: head.clone(),
                asked: 0,
                room: known,
                entries: VecDeque::new(),
                page,
            };
            tails.insert(room.clone(), tail);
        }
        Feed {
            tails: self.clone(),
            room: vacant.then(|| room.clone()),
        }
    }

    /// The events after a position, or the latest messages. `None` if the tail does not contain all of them.
    pub fn serve(&self, slug: &RoomSlug, from: Option<&Position>) -> Option<Served> {
        let mut tails = self.tails();
        let tail = tails.get_mut(slug)?;
        tail.asked = tail.asked.saturating_add(1);
        let first = if tail.is_kept() { None } else { tail.page.take() };
        let room = tail.room.clone()?;
        let missed = match from {
            None => Missed::Page(first.or_else(|| tail.page.clone())?),
            Some(from)
                if from.epoch == tail.head.epoch
                    && from.seq <= tail.head.seq
                    && from.seq.next() >= tail.first() =>
            {
                let known = tail.entries.iter().filter(|entry| entry.event.seq > from.seq);
                Missed::Events(Stretch {
                    head: tail.head.clone(),
                    entries: known.cloned().collect(),
                    more: false,
                })
            }
            _ => return None,
        };
        Some(Served { room, missed })
    }

    /// The room at an address, if it is known as it was at this position of its log or later.
    pub fn room(&self, slug: &RoomSlug, at: &Position) -> Option<Room> {
        let tails = self.tails();
        let tail = tails.get(slug)?;
        let new = tail.head.epoch == at.epoch && tail.head.seq >= at.seq;
        tail.room.clone().filter(|_| new)
    }

    /// Keeps what had to be read from storage, if it reaches the log's head.
    pub fn learn(&self, Served { room, missed }: &Served) {
        let mut tails = self.tails();
        let Some(tail) = tails.get_mut(&room.slug).filter(|tail| tail.is_kept()) else {
            return;
        };
        let at = match missed {
            Missed::Page(page) => head(page),
            // The first of several stretches does not reach the head.
            Missed::Events(stretch) if stretch.more => return,
            Missed::Events(stretch) => stretch.head.clone(),
        };
        // If the follower is ahead of this by now, the next join tries again.
        if at.epoch != tail.head.epoch || at.seq < tail.head.seq {
            return;
        }
        tail.room = Some(room.clone());
        match missed {
            Missed::Page(page) => {
                if at.seq > tail.head.seq {
                    tail.entries.clear();
                }
                tail.page = Some(page.clone());
            }
            Missed::Events(stretch) => {
                let begins = at.seq.get().saturating_sub(stretch.entries.len() as u64);
                if begins > tail.head.seq.get() {
                    // Events between the tail and the stretch are missing.
                    tail.page = None;
                    tail.entries.clear();
                } else {
                    stretch.entries.iter().for_each(|entry| tail.push(entry));
                }
                if stretch.entries.len() > tail.entries.len() {
                    tail.entries = stretch.entries.iter().cloned().collect();
                    tail.trim();
                }
            }
        }
        tail.head = at;
    }
}

impl Tail {
    /// True if it is worth keeping.
    fn is_kept(&self) -> bool {
        self.asked >= WORTH
    }

    /// The `seq` of the first event in the tail or, if it is empty, of the next event.
    fn first(&self) -> Seq {
        let first = self.entries.front();
        first.map_or_else(|| self.head.seq.next(), |entry| entry.event.seq)
    }

    fn push(&mut self, entry: &Arc<Entry>) {
        let event = &entry.event;
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
        let Some(room) = &mut self.room else { return };
        if let Deed::Titled { title, .. } = &event.deed {
            room.title = title.clone();
        }
        if let Deed::Deleted { of, .. } = event.deed {
            self.forget_text(of);
        }
        if let Some(page) = &mut self.page {
            page.apply(event, &entry.by);
            trim(page);
        }
        if self.is_kept() {
            self.entries.push_back(Arc::clone(entry));
            self.trim();
        }
    }

    /// Removes the texts of a deleted message, as storage does.
    fn forget_text(&mut self, message: Seq) {
        for entry in self
            .entries
            .iter_mut()
            .filter(|entry| entry.event.worded(message))
        {
            let mut emptied = Entry::clone(entry);
            emptied.event.deed = emptied.event.deed.without_text();
            *entry = Arc::new(emptied);
        }
    }

    /// Drops the oldest events, down to one stretch.
    fn trim(&mut self) {
        let mut stretch = Fill::new(Limit::HISTORY);
        let newest_first = self.entries.iter().rev();
        let kept = newest_first
            .take_while(|entry| stretch.take(entry.bytes()))
            .count();
        self.entries.drain(..self.entries.len() - kept);
    }

    fn forget(&mut self) {
        self.room = None;
        self.entries.clear();
        self.page = None;
    }
}

/// Drops the oldest messages of a page, down to what one answer holds.
fn trim(page: &mut MessagePage) {
    let mut answer = Fill::new(Limit::HISTORY);
    let newest_first = page.messages.iter().rev();
    let kept = newest_first
        .take_while(|message| answer.take(message.bytes()))
        .count();
    let surplus = page.messages.len() - kept;
    if surplus > 0 {
        page.messages.drain(..surplus);
        page.more = true;
        if let Some(first) = page.messages.first() {
            page.covers.first = first.seq;
        }
    }
    if page.people.len() > PAGE_PEOPLE {
        let named = named(&page.messages);
        page.people
            .retain(|person| named.binary_search(&&person.id).is_ok());
    }
}

impl Feed {
    /// Adds events that the follower received.
    pub fn entries(&self, entries: &[Arc<Entry>]) {
        self.change(|tail| entries.iter().for_each(|entry| tail.push(entry)));
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
        ClientId, Covers, DisplayName, Epoch, LogEvent, Message, MessageText, Person, PersonId, RoomTitle,
        Timestamp,
    };

    use super::*;

    fn head(epoch: u128, seq: u64) -> Position {
        Position {
            epoch: Epoch::from_random(epoch),
            seq: Seq::try_from(seq).unwrap(),
        }
    }

    fn entry(epoch: u128, seq: u64) -> Arc<Entry> {
        about(epoch, seq, |client_id| Deed::Posted {
            client_id,
            text: MessageText::try_from("hi".to_owned()).unwrap(),
            reply_to: None,
        })
    }

    /// An entry whose event deletes a message.
    fn deletion(seq: u64, of: u64) -> Arc<Entry> {
        let of = head(1, of).seq;
        about(1, seq, |client_id| Deed::Deleted { client_id, of })
    }

    fn about(epoch: u128, seq: u64, deed: impl FnOnce(ClientId) -> Deed) -> Arc<Entry> {
        let Position { epoch, seq } = head(epoch, seq);
        let by = Person {
            id: PersonId::from_random(1),
            name: DisplayName::try_from("Ada".to_owned()).unwrap(),
        };
        let event = LogEvent {
            room: RoomSlug::lobby(),
            epoch,
            seq,
            at: Timestamp(0),
            by: by.id.clone(),
            deed: deed(ClientId::from_random(1)),
        };
        Arc::new(Entry { event, by })
    }

    /// The events of a range.
    fn stretch(epoch: u128, seqs: std::ops::RangeInclusive<u64>) -> Missed {
        Missed::Events(Stretch {
            head: head(epoch, *seqs.end()),
            more: false,
            entries: seqs.map(|seq| entry(epoch, seq)).collect(),
        })
    }

    /// A page of the messages of a range.
    fn page(epoch: u128, seqs: std::ops::RangeInclusive<u64>) -> Missed {
        let (first, last) = (head(epoch, *seqs.start()), head(epoch, *seqs.end()).seq);
        Missed::Page(MessagePage {
            covers: Covers {
                epoch: first.epoch,
                first: first.seq,
                last,
            },
            head: last,
            more: *seqs.start() > 1,
            messages: seqs
                .filter_map(|seq| Message::posted(&entry(epoch, seq).event))
                .collect(),
            people: vec![entry(epoch, 1).by.clone()],
        })
    }

    fn lobby() -> Room {
        Room {
            slug: RoomSlug::lobby(),
            title: RoomTitle::try_from("Lobby".to_owned()).unwrap(),
            created_at: Timestamp(0),
            last_at: None,
        }
    }

    fn learn(tails: &Tails, missed: Missed) {
        tails.learn(&Served {
            room: lobby(),
            missed,
        });
    }

    /// A tail at `at` that enough joins have asked for.
    fn wanted(at: u64) -> (Tails, Feed) {
        let tails = Tails::default();
        let feed = tails.feed(&RoomSlug::lobby(), &head(1, at), None);
        for _ in 0..WORTH {
            assert!(tails.serve(&RoomSlug::lobby(), None).is_none());
        }
        (tails, feed)
    }

    /// The events after a position, or the latest messages; those that were deleted as negative numbers.
    fn seqs(tails: &Tails, from: Option<(u128, u64)>) -> Option<Vec<i64>> {
        let from = from.map(|(epoch, seq)| head(epoch, seq));
        let served = tails.serve(&RoomSlug::lobby(), from.as_ref())?;
        let number = |seq: Seq| i64::try_from(seq.get()).unwrap();
        Some(match served.missed {
            Missed::Events(stretch) => stretch
                .entries
                .iter()
                .map(|entry| number(entry.event.seq))
                .collect(),
            Missed::Page(page) => {
                let messages = page.messages.iter();
                assert_eq!(
                    Some(page.covers.first),
                    messages.clone().next().map(|first| first.seq)
                );
                assert_eq!(page.covers.last, page.head);
                messages
                    .map(|one| {
                        if one.deleted {
                            -number(one.seq)
                        } else {
                            number(one.seq)
                        }
                    })
                    .collect()
            }
        })
    }

    #[test]
    fn a_tail_serves_only_complete_stretches() {
        let (tails, feed) = wanted(60);
        learn(&tails, stretch(1, 11..=60));
        feed.entries(&[entry(1, 60), entry(1, 61)]);
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
        assert_eq!(seqs(&tails, None), None, "no page is known");
    }

    #[test]
    fn a_page_stays_current() {
        let (tails, feed) = wanted(60);
        learn(&tails, page(1, 11..=60));
        assert_eq!(seqs(&tails, None), Some((11..=60).collect()));
        feed.entries(&[deletion(61, 60), deletion(62, 5), entry(1, 63)]);
        let expected: Vec<_> = (12..=59).chain([-60, 63]).collect();
        assert_eq!(seqs(&tails, None), Some(expected));
        assert_eq!(seqs(&tails, Some((1, 60))), Some(vec![61, 62, 63]));
        assert_eq!(seqs(&tails, Some((1, 59))), None, "the page has no events");
    }

    #[test]
    fn a_deleted_text_is_forgotten() {
        let (tails, feed) = wanted(58);
        learn(&tails, stretch(1, 11..=58));
        let edit = |seq: u64, of: u64| {
            let (of, text) = (head(1, of).seq, MessageText::try_from("hi".to_owned()).unwrap());
            about(1, seq, |client_id| Deed::Edited { client_id, of, text })
        };
        feed.entries(&[edit(59, 57), edit(60, 58), deletion(61, 57)]);
        let served = tails.serve(&RoomSlug::lobby(), Some(&head(1, 55)));
        let Some(Missed::Events(stretch)) = served.map(|served| served.missed) else {
            panic!("the tail has these events");
        };
        let texts = stretch.entries.iter().map(|entry| match &entry.event.deed {
            Deed::Posted { text, .. } | Deed::Edited { text, .. } => Some(text.as_str()),
            _ => None,
        });
        let expected = [Some("hi"), Some(""), Some("hi"), Some(""), Some("hi"), None];
        assert_eq!(texts.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_page_names_its_authors_and_few_others() {
        let (tails, feed) = wanted(12);
        learn(&tails, page(1, 11..=12));
        let react = |seq: u64, n: u64, of: u64| {
            let to = head(1, of).seq;
            let reaction = about(1, seq, |client_id| Deed::Reacted {
                client_id,
                to,
                emoji: "👍".to_owned().try_into().unwrap(),
                on: true,
            });
            let mut reaction = Arc::unwrap_or_clone(reaction);
            reaction.by.id = PersonId::from_random(1_000 + u128::from(n));
            reaction.event.by = reaction.by.id.clone();
            Arc::new(reaction)
        };
        let crowd = (0..600).map(|n| react(13 + n, n, 11 + n % 2));
        feed.entries(&crowd.collect::<Vec<_>>());
        let Some(Missed::Page(page)) = tails.serve(&RoomSlug::lobby(), None).map(|served| served.missed)
        else {
            panic!("the tail has a page");
        };
        let reactions = |message: &Message| message.reactions[0].by.len();
        assert_eq!(
            page.messages.iter().map(reactions).collect::<Vec<_>>(),
            [300, 300]
        );
        assert_eq!(page.people.len(), PAGE_PEOPLE);
        assert!(page.people.iter().any(|person| person.id == page.messages[0].by));
    }

    #[test]
    fn what_is_learnt_fits_together() {
        let (tails, _feed) = wanted(60);
        learn(&tails, page(1, 11..=60));
        learn(&tails, stretch(1, 58..=62));
        assert_eq!(seqs(&tails, None), Some((13..=62).collect()));
        assert_eq!(seqs(&tails, Some((1, 57))), Some((58..=62).collect()));
        learn(&tails, stretch(1, 65..=66));
        assert_eq!(seqs(&tails, None), None, "63 and 64 are missing");
        assert_eq!(seqs(&tails, Some((1, 64))), Some(vec![65, 66]));
        learn(&tails, page(1, 30..=70));
        assert_eq!(seqs(&tails, None), Some((30..=70).collect()));
        assert_eq!(seqs(&tails, Some((1, 64))), None, "67 to 70 are missing");
        assert_eq!(seqs(&tails, Some((1, 70))), Some(vec![]));
    }

    #[test]
    fn what_is_older_than_the_follower_is_not_kept() {
        let (tails, feed) = wanted(60);
        feed.entries(&[entry(1, 61)]);
        learn(&tails, page(1, 11..=60));
        assert_eq!(seqs(&tails, None), None);
        learn(&tails, page(1, 12..=61));
        assert_eq!(seqs(&tails, None), Some((12..=61).collect()));
    }

    #[test]
    fn a_hole_or_another_epoch_empties_a_tail() {
        let (tails, feed) = wanted(60);
        learn(&tails, page(1, 11..=60));
        feed.entries(&[entry(1, 62)]);
        assert_eq!(seqs(&tails, Some((1, 62))), None);
        learn(&tails, page(1, 13..=62));
        assert!(seqs(&tails, None).is_some());
        feed.reset(&head(2, 0));
        assert_eq!(seqs(&tails, None), None);
        learn(&tails, page(1, 13..=62));
        assert_eq!(seqs(&tails, None), None, "a page of the old epoch");
    }

    #[test]
    fn a_tail_ends_with_its_first_follower() {
        let (tails, feed) = wanted(60);
        learn(&tails, page(1, 11..=60));
        drop(tails.feed(&RoomSlug::lobby(), &head(1, 60), None));
        assert!(seqs(&tails, None).is_some());
        drop(feed);
        assert_eq!(seqs(&tails, None), None);
    }

    #[test]
    fn the_first_join_gets_what_the_follower_read() {
        let tails = Tails::default();
        let Missed::Page(read) = page(1, 11..=60) else {
            panic!("it is a page")
        };
        let opened = || {
            let (room, page) = (lobby(), read.clone());
            Some(Opened { room, page })
        };
        let feed = tails.feed(&RoomSlug::lobby(), &head(1, 60), opened());
        feed.entries(&[entry(1, 61)]);
        assert_eq!(seqs(&tails, None), Some((12..=61).collect()));
        assert_eq!(seqs(&tails, None), None, "it is not kept in memory");
        feed.entries(&[entry(1, 62)]);
        assert_eq!(seqs(&tails, Some((1, 62))), Some(vec![]), "nothing is missing");
        drop(feed);

        let feed = tails.feed(&RoomSlug::lobby(), &head(1, 60), opened());
        assert_eq!(seqs(&tails, Some((1, 60))), Some(vec![]));
        assert_eq!(seqs(&tails, Some((1, 59))), None, "the page has no events");
        assert_eq!(seqs(&tails, None), None, "the first join did not need it");
        let room = |at| tails.room(&RoomSlug::lobby(), &head(1, at));
        assert_eq!(room(60), Some(lobby()));
        assert_eq!(room(61), None, "its title may have changed");
        feed.entries(&[entry(1, 70)]);
        assert_eq!(room(60), None, "its title may have changed");
    }
}
