//! Collects a page of messages from rows, and notices what is missing.

use chat::{Fill, Limit, StoreError};
use protocol::{Covers, Message, MessagePage, Person, PersonId, Position, RoomSlug, Seq, page};

/// A message is missing from a room.
#[derive(Debug, thiserror::Error)]
#[error("the room {room} has no message with the number {number}; restore the database from a backup")]
struct Hole {
    room: RoomSlug,
    number: i64,
}

/// The last event that a page before this one covers.
pub fn last(before: Option<Seq>, head: Seq) -> Seq {
    before.map_or(head, Seq::before).min(head)
}

/// A page without its people.
pub struct Collected {
    head: Position,
    last: Seq,
    /// The messages, oldest first.
    pub messages: Vec<Message>,
    more: bool,
}

/// Takes messages from `next`, newest first, for as long as the limit allows. The first has this `number` in the room,
/// and each further one the number before. A message that is missing or cannot be read is an error.
pub fn collect(
    room: &RoomSlug,
    head: Position,
    last: Seq,
    mut number: i64,
    limit: Limit,
    mut next: impl FnMut() -> Result<Option<(i64, Message)>, StoreError>,
) -> Result<Collected, StoreError> {
    let (mut fill, mut messages) = (Fill::new(limit), Vec::new());
    for _ in 0..limit.count {
        if number <= 0 {
            break;
        }
        let Some((_, message)) = next()?.filter(|(found, _)| *found == number) else {
            let room = room.clone();
            return Err(StoreError::damaged(Hole { room, number }));
        };
        if !fill.take(message.bytes()) {
            break;
        }
        messages.push(message);
        number -= 1;
    }
    messages.reverse();
    Ok(Collected {
        head,
        last,
        messages,
        more: number > 0,
    })
}

impl Collected {
    /// The people whom the page names.
    pub fn names(&self) -> Vec<&PersonId> {
        page::named(&self.messages)
    }

    /// The page.
    pub fn with_people(self, people: Vec<Person>) -> MessagePage {
        let first = match self.messages.first() {
            Some(first) if self.more => first.seq,
            None if self.more => self.last.next(),
            _ => Seq::ZERO.next(),
        };
        MessagePage {
            covers: Covers {
                epoch: self.head.epoch,
                first,
                last: self.last,
            },
            head: self.head.seq,
            messages: self.messages,
            people,
            more: self.more,
        }
    }
}
