//! What was sent and what arrived: nothing may be lost, doubled or moved, and how long it took.
//!
//! Every message carries a mark in its text: who sent it, its number, and when it was due by the schedule. Everybody
//! in a room receives the same bytes, so a packet's marks are looked for once and compared afterwards.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// Packets of a room whose marks are remembered: members receive the same ones at about the same time.
const REMEMBERED: usize = 128;
/// The longest latency that is told apart, in microseconds.
const LONGEST: u64 = 600_000_000;

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Who sent it: a member of the room, by number.
    pub sender: u32,
    /// Its number among those of its sender.
    pub number: u32,
    /// When it was to be sent, in microseconds after the beginning.
    pub due: u64,
}

impl Mark {
    /// A text of about `length` characters that carries it.
    pub fn text(self, length: usize) -> String {
        let mut text = format!("~b{}.{}.{}~ ", self.sender, self.number, self.due);
        while text.len() < length {
            text.push_str("and so it goes on ");
        }
        text.truncate(length.max(40));
        text
    }

    /// The mark that begins here, behind its `~b`.
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

/// The marks of the packets of one room.
#[derive(Default)]
pub struct Packets(VecDeque<Packet>);

/// A packet, and the messages that it brings.
type Packet = (Box<[u8]>, Rc<[Mark]>);

impl Packets {
    /// The marks of a packet, in order.
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

/// What one member of a room has received.
#[derive(Clone, Default)]
pub struct Received {
    /// Which replica it is at.
    door: u32,
    /// The next number of each sender.
    next: Vec<u32>,
    /// Depends on the order of everything.
    order: u64,
}

impl Received {
    /// Nothing yet, by a member at this replica.
    pub fn at(door: u32) -> Self {
        Self {
            door,
            ..Self::default()
        }
    }

    /// A message of its own, which nobody sends back.
    pub fn own(&mut self, mark: Mark) {
        let sender = mark.sender as usize;
        if self.next.len() <= sender {
            self.next.resize(sender + 1, 0);
        }
        self.next[sender] = mark.number + 1;
    }
}

/// What all have received.
pub struct Tally {
    began: Instant,
    /// From when a message was due until it was received, in microseconds.
    pub latency: Histogram<u64>,
    /// The same for those alone whose sender is at another replica.
    pub crossed: Histogram<u64>,
    /// Messages received by somebody.
    pub delivered: u64,
    doors: u32,
    holes: u64,
    again: u64,
}

impl Tally {
    /// Nothing yet. Times count from `began`; member n of a room is at replica n, round and round.
    pub fn new(began: Instant, doors: u32) -> Self {
        Self {
            began,
            latency: latencies(),
            crossed: latencies(),
            delivered: 0,
            doors,
            holes: 0,
            again: 0,
        }
    }

    /// Forgets how long everything took so far.
    pub fn forget_latencies(&mut self) {
        self.latency.reset();
        self.crossed.reset();
    }

    /// Now, on the schedule's clock.
    pub fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// When that is on the machine's clock.
    pub fn at(&self, time: u64) -> Instant {
        self.began + Duration::from_micros(time)
    }

    /// Somebody received these.
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
            if mark.sender % self.doors != member.door {
                self.crossed.saturating_record(took);
            }
        }
        self.delivered += marks.len() as u64;
    }

    /// What is wrong, if anything is: `sent` by each sender, and what each member has. With `one_order` they must
    /// also have it in the same order.
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
            ", not everybody in the same order"
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
    fn what_is_lost_doubled_or_moved_is_found() {
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
