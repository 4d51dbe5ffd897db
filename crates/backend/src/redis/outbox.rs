//! What waits to be published through one server: a bounded queue, because those who fill it never wait.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chat::{Entry, Fill, Limit, SessionDigest};
use protocol::{Position, RoomSlug};
use tokio::sync::Notify;

use super::keys::Topic;

/// The most notices that wait, and their bytes.
const WAITING: (usize, usize) = (8_192, 16 * 1024 * 1024);
/// The most notices that are taken at once, and about how many bytes.
const AT_ONCE: (usize, usize) = (256, 1024 * 1024);
/// The most bytes of events in one message.
const MESSAGE: usize = 256 * 1024;
/// About the size of a notice without events.
const SMALL: usize = 128;

/// Something to tell other replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// New events of a room, in order, at least one.
    Events(RoomSlug, Vec<Arc<Entry>>),
    /// The room's log has reached this position.
    Look(RoomSlug, Position),
    /// Events may be missing in any room.
    LookEverywhere,
    /// A session has ended.
    Ended(SessionDigest),
    /// Some sessions may have ended.
    Unsure,
}

impl Notice {
    /// The topic of its channel.
    pub fn topic(&self) -> Topic {
        match self {
            Self::Events(room, _) | Self::Look(room, _) => Topic::Room(room.clone()),
            Self::LookEverywhere | Self::Ended(_) | Self::Unsure => Topic::Replicas,
        }
    }

    /// The room and the position that its log has reached, if this is about a room.
    pub fn head(&self) -> Option<(&RoomSlug, Position)> {
        match self {
            Self::Events(room, events) => {
                let last = events.last()?;
                let head = Position {
                    epoch: last.event.epoch.clone(),
                    seq: last.event.seq,
                };
                Some((room, head))
            }
            Self::Look(room, head) => Some((room, head.clone())),
            Self::LookEverywhere | Self::Ended(_) | Self::Unsure => None,
        }
    }

    /// About its size in bytes.
    fn bytes(&self) -> usize {
        match self {
            Self::Events(_, events) => SMALL + events.iter().map(|event| event.bytes()).sum::<usize>(),
            _ => SMALL,
        }
    }
}

/// Cuts events into parts that each fit into one message.
pub fn parts(mut entries: &[Arc<Entry>]) -> Vec<&[Arc<Entry>]> {
    let (mut parts, most) = (Vec::new(), MESSAGE - SMALL);
    while !entries.is_empty() {
        let mut fill = Fill::new(Limit {
            count: u32::MAX,
            bytes: most,
        });
        let fitting = entries.iter().take_while(|entry| fill.take(entry.bytes()));
        let (part, rest) = entries.split_at(fitting.count());
        parts.push(part);
        entries = rest;
    }
    parts
}

/// The queue of one server.
#[derive(Default)]
pub struct Outbox {
    queue: Mutex<Queue>,
    /// Notified when something is added.
    pub more: Notify,
}

#[derive(Default)]
struct Queue {
    notices: VecDeque<Notice>,
    bytes: usize,
    /// Notices that were taken and are being published.
    publishing: Vec<Notice>,
    /// True if nobody publishes any more.
    closed: bool,
}

impl Outbox {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a notice, or returns it if the queue is full or closed.
    pub fn add(&self, notice: Notice) -> Result<(), Notice> {
        let mut queue = self.queue();
        let bytes = queue.bytes + notice.bytes();
        if queue.closed || queue.notices.len() >= WAITING.0 || bytes > WAITING.1 {
            return Err(notice);
        }
        queue.bytes = bytes;
        queue.notices.push_back(notice);
        drop(queue);
        self.more.notify_one();
        Ok(())
    }

    /// Takes everything, also what is being published.
    pub fn take_all(&self) -> Vec<Notice> {
        let mut queue = self.queue();
        queue.bytes = 0;
        let mut all = std::mem::take(&mut queue.publishing);
        all.extend(std::mem::take(&mut queue.notices));
        all
    }

    /// Takes everything, and refuses what comes later.
    pub fn close(&self) -> Vec<Notice> {
        self.queue().closed = true;
        self.take_all()
    }

    /// What was taken is published, or will not be.
    pub fn done(&self) {
        self.queue().publishing.clear();
    }

    /// True if nothing waits or is being published.
    pub fn is_idle(&self) -> bool {
        let queue = self.queue();
        queue.notices.is_empty() && queue.publishing.is_empty()
    }

    /// Takes the next notices, and joins events of the same room that fit into one message. The order in each room
    /// stays. They count as being published until [`Outbox::done`].
    pub fn take(&self) -> Vec<Notice> {
        let mut queue = self.queue();
        let (mut taken, mut bytes) = (Vec::new(), 0);
        let mut latest: HashMap<RoomSlug, (usize, usize)> = HashMap::new();
        for _ in 0..AT_ONCE.0 {
            if bytes >= AT_ONCE.1 {
                break;
            }
            let Some(notice) = queue.notices.pop_front() else {
                break;
            };
            let size = notice.bytes();
            queue.bytes -= size;
            bytes += size;
            match notice {
                Notice::Events(room, events) => match latest.get_mut(&room) {
                    Some((index, whole)) if *whole + size <= MESSAGE => {
                        *whole += size;
                        if let Some(Notice::Events(_, before)) = taken.get_mut(*index) {
                            before.extend(events);
                        }
                    }
                    _ => {
                        latest.insert(room.clone(), (taken.len(), size));
                        taken.push(Notice::Events(room, events));
                    }
                },
                notice => taken.push(notice),
            }
        }
        queue.publishing.clone_from(&taken);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event_with(seq: u64, text: &str) -> Arc<Entry> {
        let by = protocol::Person {
            id: protocol::PersonId::from_random(1),
            name: protocol::DisplayName::kept("Ada".to_owned()),
        };
        let event = protocol::LogEvent {
            room: RoomSlug::lobby(),
            epoch: protocol::Epoch::from_random(1),
            seq: protocol::Seq::try_from(seq).unwrap(),
            at: protocol::Timestamp(0),
            by: by.id.clone(),
            deed: protocol::Deed::Posted {
                client_id: protocol::ClientId::from_random(1),
                text: protocol::MessageText::kept(text.to_owned()),
                reply_to: None,
            },
        };
        Arc::new(Entry { event, by })
    }

    fn events(room: &str, seqs: std::ops::RangeInclusive<u64>, text: &str) -> Notice {
        let room = RoomSlug::try_from(room.to_owned()).unwrap();
        Notice::Events(room, seqs.map(|seq| event_with(seq, text)).collect())
    }

    #[test]
    fn events_of_a_room_share_a_message() {
        let outbox = Outbox::default();
        let added = [
            events("one", 1..=2, "hi"),
            events("two", 1..=1, "hi"),
            events("one", 3..=3, "hi"),
            Notice::Unsure,
            events("one", 4..=4, "hi"),
        ];
        for notice in added {
            outbox.add(notice).unwrap();
        }
        let taken = [
            events("one", 1..=4, "hi"),
            events("two", 1..=1, "hi"),
            Notice::Unsure,
        ];
        assert_eq!(outbox.take(), taken);
        assert!(outbox.take().is_empty());
        assert_eq!(outbox.queue().bytes, 0);
    }

    #[test]
    fn what_is_being_published_is_handed_over_too() {
        let outbox = Outbox::default();
        let [first, second, third] = [1, 2, 3].map(|seq| events("one", seq..=seq, "hi"));
        outbox.add(first.clone()).unwrap();
        outbox.take();
        outbox.add(second.clone()).unwrap();
        assert!(!outbox.is_idle());
        assert_eq!(outbox.close(), [first, second]);
        assert!(outbox.is_idle());
        assert_eq!(outbox.add(third.clone()), Err(third), "nobody would publish it");
    }

    #[test]
    fn a_message_does_not_grow_beyond_its_size() {
        let outbox = Outbox::default();
        let long = "x".repeat(8_000);
        for seq in 1..=100 {
            outbox.add(events("one", seq..=seq, &long)).unwrap();
        }
        let taken = outbox.take();
        assert!(taken.len() > 2);
        let mut next = 1;
        for notice in taken {
            assert!(notice.bytes() <= MESSAGE);
            let Notice::Events(_, events) = notice else {
                panic!("only events were added")
            };
            for event in events {
                assert_eq!(event.event.seq.get(), next);
                next += 1;
            }
        }
        assert_eq!(next, 101);
    }

    #[test]
    fn a_full_queue_refuses() {
        let outbox = Outbox::default();
        let long = "x".repeat(8_000);
        let mut seq = 0;
        while outbox.add(events("one", seq..=seq, &long)).is_ok() {
            seq += 1;
        }
        assert!((seq as usize * 8_000).abs_diff(WAITING.1) < 1024 * 1024);
        while !outbox.take().is_empty() {}
        for _ in 0..WAITING.0 {
            outbox.add(Notice::Unsure).unwrap();
        }
        assert_eq!(outbox.add(Notice::Unsure), Err(Notice::Unsure));
    }
}
