//! `join`: enter a room, and continue exactly where the client is.

use protocol::limits::CATCH_UP_EVENTS;
use protocol::policy::Action;
use protocol::{Join, Joined, Position, RoomEvent, RoomSlug};

use super::Hub;
use super::enter::enter;
use super::tails::Served;
use crate::caller::Caller;
use crate::door::{Asked, UseCase};
use crate::error::{ChatError, StoreError};
use crate::ports::Cost;
use crate::room::{Limit, Stretch};

impl UseCase for Join {
    type Answer = Joined;
    const ACTION: Action = Action::BePresent;

    /// Enters the room and returns the events that the client is missing. The caller must already be passing the room's
    /// live events on to the client: events stored after this answer arrive only there. An event that arrives both ways
    /// has the same `seq`.
    async fn run(self, asked: Asked<'_>) -> Result<Joined, ChatError> {
        asked.take(Cost::Read(0))?;
        let hub = asked.hub;
        let Self { room: slug, from } = self;
        let (room, roster, stretch, reset) =
            if let Some(Served { room, stretch }) = hub.tails.serve(&slug, from.as_ref()) {
                let roster = enter(asked, &slug).await?;
                (room, roster, stretch, false)
            } else {
                let room = hub.room(&slug).await?;
                let roster = enter(asked, &slug).await?;
                let latest = from.is_none();
                let (stretch, reset) = hub.read(&slug, from).await?;
                hub.tails.learn(&room, &stretch, latest || reset);
                (room, roster, stretch, reset)
            };
        let head = stretch.head.clone();
        let more = stretch.more;
        let events = stretch.into_events();
        asked.has_read(events.iter().map(RoomEvent::bytes).sum());
        Ok(Joined {
            room: slug,
            title: room.title,
            head,
            reset,
            events,
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

    /// Reads the events after `from`, or the latest stretch if the log does not continue `from`. Also returns whether
    /// the client must reset.
    async fn read(&self, slug: &RoomSlug, from: Option<Position>) -> Result<(Stretch, bool), ChatError> {
        // The storage may be emptied between any two reads, so each makes sure that the lobby exists.
        let latest = || self.read_before(slug, None, Limit::HISTORY);
        let Some(from) = from else {
            return Ok((latest().await?, false));
        };
        let read = || self.log.read(slug, from.seq, Limit::CATCH_UP);
        match self.with_lobby(slug, read).await {
            Ok(missed) if continues(&from, &missed.head) => Ok((missed, false)),
            // If there is a hole in what was missed, the end of the log may still be whole.
            Ok(_) | Err(ChatError::Store(StoreError::Damaged(_))) => Ok((latest().await?, true)),
            Err(error) => Err(error),
        }
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
