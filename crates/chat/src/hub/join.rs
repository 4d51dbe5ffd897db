//! `join`: be present, and continue from exactly what one has.

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

    /// Enters the room and answers with what the client misses. Whoever asks this must already pass the room's live
    /// events on to the client: what is stored after the answer was made arrives only there. What arrives both ways
    /// carries the same `seq`.
    async fn run(self, asked: Asked<'_>) -> Result<Joined, ChatError> {
        asked.take(Cost::Read(0))?;
        let hub = asked.hub;
        let Self { room: slug, from } = self;
        let (room, stretch, reset) =
            if let Some(Served { room, stretch }) = hub.tails.serve(&slug, from.as_ref()) {
                enter(asked, &slug).await?;
                (room, stretch, false)
            } else {
                let room = hub.room(&slug).await?;
                enter(asked, &slug).await?;
                let latest = from.is_none();
                let (stretch, reset) = hub.read(&slug, from).await?;
                hub.tails.learn(&room, &stretch, latest || reset);
                (room, stretch, reset)
            };
        let roster = hub.roster(&slug).await?;
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
    /// Whether a join may be asked now, before it takes a turn and its room is followed for it.
    ///
    /// # Errors
    /// The policy says no, or the caller's address has read too much.
    pub fn may_join(&self, caller: &Caller<'_>) -> Result<(), ChatError> {
        Ok(self.decide(caller, Join::ACTION)?.take(Cost::Read(0))?)
    }

    /// What `from` misses, or else the latest stretch and whether that is news.
    async fn read(&self, slug: &RoomSlug, from: Option<Position>) -> Result<(Stretch, bool), ChatError> {
        // The storage may be emptied between any two of these: there is a lobby nevertheless.
        let latest = || self.read_before(slug, None, Limit::HISTORY);
        let Some(from) = from else {
            return Ok((latest().await?, false));
        };
        let read = || self.log.read(slug, from.seq, Limit::CATCH_UP);
        match self.with_lobby(slug, read).await {
            Ok(missed) if continues(&from, &missed.head) => Ok((missed, false)),
            // Somewhere in what was missed there is a hole: the end of the log may be whole.
            Ok(_) | Err(ChatError::Store(StoreError::Damaged(_))) => Ok((latest().await?, true)),
            Err(error) => Err(error),
        }
    }
}

/// Whether a client at this position can catch up with the log: stretch by stretch, if what it missed is large.
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
    fn a_position_is_continued_only_in_its_own_epoch_without_a_hole() {
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
            "a place that the log never reached"
        );
        assert!(!continues(&from, &head(&other, 9)), "another life of the log");
    }
}
