//! What other replicas may not have been told: they are told to look as soon as Redis is back.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use protocol::{Position, RoomSlug};
use tokio::sync::Notify;

/// The most rooms that are remembered. If there are more, other replicas look at all their rooms.
const ROOMS: usize = 10_000;
/// A server that fails can have accepted what it did not pass on, at most for this long before that is noticed.
const DOUBTFUL: Duration = Duration::from_secs(5);

/// What was published lately, and what could not be published.
#[derive(Default)]
pub struct Untold {
    state: Mutex<State>,
    /// Notified when something becomes untold.
    pub more: Notify,
}

#[derive(Default)]
struct State {
    owed: Owed,
    lately: HashMap<RoomSlug, (Position, Instant)>,
    /// When a session's end was last published.
    ended: Option<Instant>,
}

/// What other replicas must be told to look at.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Owed {
    /// Rooms and the positions that they reached.
    pub rooms: HashMap<RoomSlug, Position>,
    /// All rooms, because there were too many to remember.
    pub everywhere: bool,
    /// Sessions.
    pub sessions: bool,
}

impl Untold {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A server has accepted the events of a room up to this position.
    pub fn told(&self, room: &RoomSlug, head: &Position, now: Instant) {
        let mut state = self.state();
        if state.lately.len() >= ROOMS {
            state
                .lately
                .retain(|_, (_, at)| now.duration_since(*at) < DOUBTFUL);
        }
        if state.lately.len() >= ROOMS && !state.lately.contains_key(room) {
            // Costly for the other replicas, but 2,000 rooms per second are unheard of.
            state.lately.clear();
            state.owed.everywhere = true;
            drop(state);
            return self.more.notify_one();
        }
        state.lately.insert(room.clone(), (head.clone(), now));
    }

    /// A server has accepted the end of a session.
    pub fn told_end(&self, now: Instant) {
        self.state().ended = Some(now);
    }

    /// A server is lost or another one now: what it accepted lately may have reached nobody.
    pub fn doubt(&self, now: Instant) {
        let mut state = self.state();
        for (room, (head, at)) in std::mem::take(&mut state.lately) {
            if now.duration_since(at) < DOUBTFUL {
                state.owed.add(room, head);
            }
        }
        let ended = state.ended.take();
        state.owed.sessions |= ended.is_some_and(|at| now.duration_since(at) < DOUBTFUL);
        self.notify(&state.owed);
    }

    /// The events of a room up to this position were not published.
    pub fn owe(&self, room: RoomSlug, head: Position) {
        let mut state = self.state();
        state.owed.add(room, head);
        self.notify(&state.owed);
    }

    /// Nobody was told to look everywhere.
    pub fn owe_everywhere(&self) {
        self.state().owed.everywhere = true;
        self.more.notify_one();
    }

    /// A session's end was not published.
    pub fn owe_sessions(&self) {
        self.state().owed.sessions = true;
        self.more.notify_one();
    }

    fn notify(&self, owed: &Owed) {
        if *owed != Owed::default() {
            self.more.notify_one();
        }
    }

    /// Takes everything that is owed.
    pub fn take(&self) -> Owed {
        std::mem::take(&mut self.state().owed)
    }
}

impl Owed {
    fn add(&mut self, room: RoomSlug, head: Position) {
        if self.everywhere {
            return;
        }
        if self.rooms.len() >= ROOMS && !self.rooms.contains_key(&room) {
            self.rooms.clear();
            self.everywhere = true;
            return;
        }
        let owed = self.rooms.entry(room).or_insert_with(|| head.clone());
        if owed.epoch != head.epoch || owed.seq < head.seq {
            *owed = head;
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::{Epoch, Seq};

    use super::*;

    fn room(n: usize) -> RoomSlug {
        RoomSlug::try_from(format!("room-{n}")).unwrap()
    }

    fn at(seq: u64) -> Position {
        Position {
            epoch: Epoch::from_random(1),
            seq: Seq::try_from(seq).unwrap(),
        }
    }

    #[test]
    fn a_room_is_owed_once_up_to_its_latest_position() {
        let untold = Untold::default();
        for seq in [4, 6, 5] {
            untold.owe(room(1), at(seq));
        }
        untold.owe_sessions();
        let owed = untold.take();
        assert_eq!(owed.rooms, HashMap::from([(room(1), at(6))]));
        assert!(owed.sessions && !owed.everywhere);
        assert_eq!(untold.take(), Owed::default());
    }

    #[test]
    fn what_was_told_lately_is_owed_after_a_loss() {
        let (untold, now) = (Untold::default(), Instant::now());
        untold.told(&room(1), &at(1), now);
        untold.told(&room(2), &at(2), now + DOUBTFUL);
        untold.told_end(now);
        untold.doubt(now + DOUBTFUL);
        let owed = untold.take();
        assert_eq!(owed.rooms, HashMap::from([(room(2), at(2))]));
        assert!(!owed.sessions, "long ago");
        untold.doubt(now + DOUBTFUL);
        assert_eq!(untold.take(), Owed::default(), "once");
    }

    #[test]
    fn too_many_rooms_become_all_rooms() {
        let (untold, now) = (Untold::default(), Instant::now());
        for n in 0..=ROOMS {
            untold.owe(room(n), at(1));
        }
        let owed = untold.take();
        assert!(owed.everywhere && owed.rooms.is_empty());

        for n in 0..ROOMS {
            untold.told(&room(n), &at(1), now);
        }
        untold.told(&room(ROOMS), &at(1), now + DOUBTFUL);
        assert_eq!(untold.take(), Owed::default(), "the others are long ago");
        for n in 0..ROOMS {
            untold.told(&room(n), &at(1), now + DOUBTFUL);
        }
        assert!(untold.take().everywhere);
    }
}
