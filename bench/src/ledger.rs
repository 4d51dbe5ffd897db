//! Compares what was sent with what arrived: nothing may be lost, doubled or reordered. Also measures how long it took.
//!
//! Every message carries a mark in its text: its sender, its number, and when it was due. All members of a room receive
//! the same bytes, so marks are parsed once per packet and compared afterwards.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// How many packets of a room to remember: members receive the same ones at about the same time.
const REMEMBERED: usize = 128;
/// The longest latency to record, in microseconds.
const LONGEST: u64 = 600_000_000;

/// The mark of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The sender: a member of the room, by number.
    pub sender: u32,
    /// The message's number among those of its sender.
    pub number: u32,
    /// When it was due, in microseconds since the beginning.
    pub due: u64,
}

impl Mark {
    /// A text of about `length` characters with this mark.
    pub fn text(self, length: usize) -> String {
        let mut text = format!("~b{}.{}.{}~ ", self.sender, self.number, self.due);
        while text.len() < length {
            text.push_str("and so it goes on ");
        }
        text.truncate(length.max(40));
        text
    }

    /// Parses a mark whose `~b` has been read.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let end = memchr::memchr(b'~', bytes)?;
        let mut numbers = std::str::from_utf8(&bytes[..end]).ok()?.split('.');
        let mut next = || numbers.next()?.parse::<u64>().ok();
        let (sender, number, due) = (next()?, next()?, next()?);
        Some(Self {
            sender: u32::try_from(sender).ok()?,
            number: u32::try_from(number).ok()?,
            due,
        })
    }
}

/// Recent packets of one room, with their marks.
#[derive(Default)]
pub struct Packets(VecDeque<Packet>);

/// A packet and the marks in it.
type Packet = (Box<[u8]>, Rc<[Mark]>);

impl Packets {
    /// Returns the marks in a packet, in order.
    pub fn marks(&mut self, packet: &[u8]) -> Rc<[Mark]> {
        if let Some((_, marks)) = self.0.iter().rev().find(|(known, _)| **known == *packet) {
            return Rc::clone(marks);
        }
        let found = memchr::memmem::find_iter(packet, b"~b");
        let marks: Rc<[Mark]> = found.filter_map(|at| Mark::read(&packet[at + 2..])).collect();
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back((packet.into(), Rc::clone(&marks)));
        marks
    }
}

/// What one member of a room received.
#[derive(Clone, Default)]
pub struct Received {
    /// The replica that it is connected to.
    replica: u32,
    /// The next expected number, by sender.
    next: Vec<u32>,
    /// A hash of the order of all messages.
    order: u64,
}

impl Received {
    /// A member at this replica that has received nothing.
    pub fn at(replica: u32) -> Self {
        Self {
            replica,
            ..Self::default()
        }
    }

    /// Counts the member's own message as received; the server does not send it back.
    pub fn own(&mut self, mark: Mark) {
        let sender = mark.sender as usize;
        if self.next.len() <= sender {
            self.next.resize(sender + 1, 0);
        }
        self.next[sender] = mark.number + 1;
    }
}

/// What all members received.
pub struct Tally {
    began: Instant,
    /// From when a message was due until it was received, in microseconds.
    pub latency: Histogram<u64>,
    /// The same, only for messages whose sender is at another replica.
    pub crossed: Histogram<u64>,
    /// How many messages were received.
    pub delivered: u64,
    replicas: u32,
    holes: u64,
    again: u64,
}

impl Tally {
    /// Starts empty. Times count from `began`; member n of a room is at replica n, in rotation.
    pub fn new(began: Instant, replicas: u32) -> Self {
        Self {
            began,
            latency: latencies(),
            crossed: latencies(),
            delivered: 0,
            replicas,
            holes: 0,
            again: 0,
        }
    }

    /// Clears the latencies recorded so far.
    pub fn forget_latencies(&mut self) {
        self.latency.reset();
        self.crossed.reset();
    }

    /// The present, on the schedule's clock.
    pub fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// The same time on the machine's clock.
    pub fn at(&self, time: u64) -> Instant {
        self.began + Duration::from_micros(time)
    }

    /// Records messages that a member received.
    pub fn take(&mut self, member: &mut Received, marks: &[Mark]) {
        let now = self.now();
        for mark in marks {
            let sender = mark.sender as usize;
            if member.next.len() <= sender {
                member.next.resize(sender + 1, 0);
            }
            let next = &mut member.next[sender];
            if mark.number < *next {
                self.again += 1;
            } else {
                self.holes += u64::from(mark.number - *next);
                *next = mark.number + 1;
            }
            let this = u64::from(mark.sender) << 32 | u64::from(mark.number);
            member.order = member
                .order
                .wrapping_mul(0x9E37_79B9_7F4A_7C15)
                .wrapping_add(this);
            let took = now.saturating_sub(mark.due).max(1);
            self.latency.saturating_record(took);
            if mark.sender % self.replicas != member.replica {
                self.crossed.saturating_record(took);
            }
        }
        self.delivered += marks.len() as u64;
    }

    /// Returns an error sentence if something is wrong. `sent` has the number of messages by sender. With `one_order`,
    /// all members must have received everything in the same order.
    pub fn verdict(&self, sent: &[u32], members: &[Received], one_order: bool) -> Result<(), String> {
        let missing: u64 = members
            .iter()
            .map(|member| {
                let last = |sender| member.next.get(sender).copied().unwrap_or(0);
                sent.iter()
                    .enumerate()
                    .map(|(n, sent)| u64::from(sent.saturating_sub(last(n))))
                    .sum::<u64>()
            })
            .sum();
        let lost = missing + self.holes;
        let moved = one_order && members.windows(2).any(|two| two[0].order != two[1].order);
        if lost == 0 && self.again == 0 && !moved {
            return Ok(());
        }
        let order = if moved {
            ", not all members in the same order"
        } else {
            ""
        };
        Err(format!("{lost} lost, {} doubled or late{order}", self.again))
    }
}

/// An empty histogram of microseconds.
pub fn latencies() -> Histogram<u64> {
    // Three digits of precision up to ten minutes: always a valid range.
    Histogram::new_with_bounds(1, LONGEST, 3)
        .unwrap_or_else(|error| panic!("a histogram of microseconds: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(number: u32) -> Mark {
        Mark {
            sender: 1,
            number,
            due: 5,
        }
    }

    fn receive(numbers: &[u32]) -> (Tally, Received) {
        let (mut tally, mut member) = (Tally::new(Instant::now(), 1), Received::default());
        for number in numbers {
            tally.take(&mut member, &[mark(*number)]);
        }
        (tally, member)
    }

    #[test]
    fn marks_are_found_in_a_packet() {
        let packet = format!(
            r#"["events",[{{"text":"{}"}},{{"text":"{}"}}]]"#,
            mark(0).text(80),
            mark(1).text(80)
        );
        let mut packets = Packets::default();
        for _ in 0..2 {
            assert_eq!(*packets.marks(packet.as_bytes()), [mark(0), mark(1)]);
        }
        assert_eq!(mark(7).text(80).len(), 80);
    }

    #[test]
    fn lost_doubled_and_reordered_messages_are_found() {
        let judge = |numbers: &[u32]| {
            let (tally, member) = receive(numbers);
            tally.verdict(&[0, 3], &[member], true)
        };
        assert_eq!(judge(&[0, 1, 2]), Ok(()));
        assert_eq!(judge(&[0, 2]), Err("1 lost, 0 doubled or late".to_owned()));
        assert_eq!(judge(&[0, 1]), Err("1 lost, 0 doubled or late".to_owned()));
        assert_eq!(judge(&[0, 1, 1, 2]), Err("0 lost, 1 doubled or late".to_owned()));
        assert!(judge(&[1, 0, 2]).is_err());
        let (mut tally, mut one) = receive(&[0]);
        let mut two = Received::default();
        let other = Mark {
            sender: 0,
            number: 0,
            due: 5,
        };
        tally.take(&mut one, &[other]);
        tally.take(&mut two, &[other, mark(0)]);
        let members = [one, two];
        assert!(tally.verdict(&[1, 1], &members, true).is_err());
        assert_eq!(tally.verdict(&[1, 1], &members, false), Ok(()));
    }
}
