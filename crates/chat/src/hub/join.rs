//! `join`: enter a room, and continue exactly where the client is.

use protocol::limits::CATCH_UP_EVENTS;
use protocol::policy::Action;
use protocol::{Join, Joined, Position, RoomSlug};

use super::Hub;
use super::enter::enter;
use super::history::bytes;
use super::missed::{Missed, head};
use super::tails::Served;
use crate::caller::Caller;
use crate::door::{Asked, UseCase};
use crate::error::{ChatError, StoreError};
use crate::ports::Cost;
use crate::room::{Limit, Opened};

impl UseCase for Join {
    type Answer = Joined;
    const ACTION: Action = Action::BePresent;

    /// Enters the room and returns the messages, or the events that the client is missing. The caller must already be
    /// passing the room's live events on to the client: events stored after this answer arrive only there. An event
    /// that arrives both ways has the same `seq`.
    async fn run(self, asked: Asked<'_>) -> Result<Joined, ChatError> {
        asked.take(Cost::Read(0))?;
        let hub = asked.hub;
        let Self { room: slug, from } = self;
        let Served { room, missed } = match hub.tails.serve(&slug, from.as_ref()) {
            Some(served) => served,
            None => {
                let served = hub.missed(&slug, from).await?;
                hub.tails.learn(&served);
                served
            }
        };
        let roster = enter(asked, &slug).await?;
        let (head, page, events, people, more) = match missed {
            Missed::Page(page) => {
                asked.has_read(bytes(&page));
                (head(&page), Some(page), Vec::new(), Vec::new(), false)
            }
            Missed::Events(stretch) => {
                asked.has_read(stretch.bytes());
                let (head, more) = (stretch.head.clone(), stretch.more);
                let (events, people) = stretch.into_parts();
                (head, None, events, people, more)
            }
        };
        Ok(Joined {
            room: slug,
            title: room.title,
            head,
            page,
            events,
            people,
            more,
            roster,
        })
    }
}

impl Hub {
    /// Checks that a join is allowed now, before it takes a turn and a follower starts for it.
    ///
    /// # Errors
    /// The policy refuses it, or the caller's address has read too much.
    pub fn may_join(&self, caller: &Caller<'_>) -> Result<(), ChatError> {
        Ok(self.decide(caller, Join::ACTION)?.take(Cost::Read(0))?)
    }

    /// Reads the events after `from`, or the latest messages if the log does not continue `from`.
    async fn missed(&self, slug: &RoomSlug, from: Option<Position>) -> Result<Served, ChatError> {
        // The storage may be emptied between any two reads, so each makes sure that the lobby exists.
        if let Some(from) = from {
            let read = || self.log.read(slug, from.seq, Limit::CATCH_UP);
            match self.with_lobby(slug, read).await {
                Ok(missed) if continues(&from, &missed.head) => {
                    // No older than the log: a title that was set up to its head must be in the answer and in the tail.
                    // One that was set later comes as an event too.
                    let room = match self.tails.room(slug, &missed.head) {
                        Some(room) => room,
                        None => self.room(slug).await?,
                    };
                    let missed = Missed::Events(missed);
                    return Ok(Served { room, missed });
                }
                // If there is a hole in what was missed, the latest messages may still be whole.
                Ok(_) | Err(ChatError::Store(StoreError::Damaged(_))) => {}
                Err(error) => return Err(error),
            }
        }
        let Opened { room, page } = self.open_room(slug, None, Limit::HISTORY).await?;
        let missed = Missed::Page(page);
        Ok(Served { room, missed })
    }
}

/// True if a client at this position can catch up with the log, perhaps in several stretches.
fn continues(from: &Position, head: &Position) -> bool {
    let missed = head.seq.get().checked_sub(from.seq.get());
    from.epoch == head.epoch && missed.is_some_and(|missed| missed <= CATCH_UP_EVENTS.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{Epoch, Seq};

    fn seq(n: u64) -> Seq {
        Seq::try_from(n).unwrap()
    }

    #[test]
    fn a_position_continues_only_in_its_epoch_and_within_the_limit() {
        let (mine, other) = (Epoch::from_random(1), Epoch::from_random(2));
        let head = |epoch: &Epoch, at| Position {
            epoch: epoch.clone(),
            seq: seq(at),
        };
        let from = Position {
            epoch: mine.clone(),
            seq: seq(7),
        };
        assert!(continues(&from, &head(&mine, 7)));
        assert!(continues(&from, &head(&mine, 507)));
        assert!(!continues(&from, &head(&mine, 508)), "too much was missed");
        assert!(
            !continues(&from, &head(&mine, 6)),
            "a position that the log never reached"
        );
        assert!(!continues(&from, &head(&other, 9)), "another epoch");
    }
}
