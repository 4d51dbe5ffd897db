//! When joins are begun: so many per second in this process. Who comes before their turn is told when it is.
//!
//! `governor` counts what has happened, but it promises nothing: everybody who is refused hears of the same moment.
//! Here a refusal is a turn of one's own, so that thousands who return at once come one after the other and ask
//! twice, not again and again. What is kept is one moment for the process and a turn for each room that a
//! connection waits for.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use protocol::RoomSlug;

/// Turns further ahead than this are not given: who knows then what will be.
const LONGEST: Duration = Duration::from_secs(60);
/// Timers of clients may be this early.
const EARLY: Duration = Duration::from_millis(20);
/// A turn that is not used by then is lost, so that nobody saves them up.
const KEPT: Duration = Duration::from_secs(5);
/// This part of a second's joins may begin at once after a quiet time.
const BURST: u32 = 10;

/// The joins of the whole process.
pub struct Joins {
    every: Duration,
    burst: Duration,
    /// The first turn that nobody has.
    next: Mutex<Instant>,
}

impl Joins {
    /// Joins at this rate, from `now` on.
    pub fn new(per_second: NonZeroU32, now: Instant) -> Self {
        let every = Duration::from_secs(1) / per_second.get();
        Self {
            every,
            burst: every * (per_second.get() / BURST).saturating_sub(1),
            next: Mutex::new(now),
        }
    }

    /// Takes the next turn. It may lie a little back: then much is free.
    fn take(&self, now: Instant) -> Option<Instant> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = (*next).max(now.checked_sub(self.burst).unwrap_or(now));
        if turn > now + LONGEST {
            return None;
        }
        *next = turn + self.every;
        Some(turn)
    }
}

/// The turns of one connection, by room.
#[derive(Default)]
pub struct Turns(HashMap<RoomSlug, Instant>);

impl Turns {
    /// Begins a join, or says how long to wait until it may begin.
    pub fn begin(&mut self, joins: &Joins, room: &RoomSlug, now: Instant) -> Result<(), Duration> {
        self.0.retain(|_, turn| now < *turn + KEPT);
        let Some(turn) = self.0.remove(room).or_else(|| joins.take(now)) else {
            return Err(some_time());
        };
        if turn <= now + EARLY {
            return Ok(());
        }
        self.0.insert(room.clone(), turn);
        Err(turn - now)
    }

    /// Other rooms that this connection waits for.
    pub fn others(&self, room: &RoomSlug) -> usize {
        self.0.len() - usize::from(self.0.contains_key(room))
    }
}

/// From half of [`LONGEST`] to the whole, different for each who asks.
fn some_time() -> Duration {
    // Without randomness they come together, and most are told to wait again.
    let random = getrandom::u32().unwrap_or_default();
    LONGEST / 2 + (LONGEST / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joins(per_second: u32, now: Instant) -> Joins {
        Joins::new(NonZeroU32::new(per_second).unwrap(), now)
    }

    #[test]
    fn everybody_gets_a_turn_of_their_own_and_it_holds() {
        let start = Instant::now();
        let joins = joins(100, start);
        let lobby = RoomSlug::lobby();
        let mut people: Vec<Turns> = (0..500).map(|_| Turns::default()).collect();
        let waits: Vec<Duration> = people
            .iter_mut()
            .filter_map(|turns| turns.begin(&joins, &lobby, start).err())
            .collect();
        assert!(waits.is_sorted() && waits.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(waits.last(), Some(&Duration::from_millis(4_990)));

        // Somebody new does not overtake, and whoever comes at their turn is let in whoever else has come meanwhile.
        let mut late = Turns::default();
        let later = start + Duration::from_secs(1);
        assert_eq!(late.begin(&joins, &lobby, later), Err(Duration::from_secs(4)));
        for (turns, wait) in people.iter_mut().rev().zip(waits.iter().rev()) {
            assert_eq!(turns.begin(&joins, &lobby, start + *wait), Ok(()));
        }
    }

    #[test]
    fn impatience_gains_nothing() {
        let start = Instant::now();
        let joins = joins(1, start);
        let lobby = RoomSlug::lobby();
        let mut turns = Turns::default();
        assert_eq!(turns.begin(&joins, &lobby, start), Ok(()));
        for ms in [0, 300, 900] {
            let left = turns.begin(&joins, &lobby, start + Duration::from_millis(ms));
            assert_eq!(left, Err(Duration::from_millis(1_000 - ms)));
        }
        assert_eq!(
            turns.begin(&joins, &lobby, start + Duration::from_secs(1)),
            Ok(())
        );
    }

    #[test]
    fn each_room_has_its_turn() {
        let start = Instant::now();
        let joins = joins(1, start);
        let (a, b) = (RoomSlug::try_from("a".to_owned()).unwrap(), RoomSlug::lobby());
        let mut turns = Turns::default();
        assert_eq!(turns.begin(&joins, &a, start), Ok(()));
        assert_eq!(turns.begin(&joins, &a, start), Err(Duration::from_secs(1)));
        assert_eq!(turns.begin(&joins, &b, start), Err(Duration::from_secs(2)));
        assert_eq!((turns.others(&a), turns.others(&b)), (1, 1));
        assert_eq!(turns.begin(&joins, &a, start + Duration::from_secs(1)), Ok(()));
        assert_eq!(turns.others(&a), 1);
    }

    #[test]
    fn turns_cannot_be_saved_up() {
        let start = Instant::now();
        let joins = joins(1, start);
        let lobby = RoomSlug::lobby();
        let mut turns: Vec<Turns> = (0..40).map(|_| Turns::default()).collect();
        for turns in &mut turns {
            turns.begin(&joins, &lobby, start).ok();
        }
        let later = start + Duration::from_secs(40);
        let begun = turns
            .iter_mut()
            .filter_map(|turns| turns.begin(&joins, &lobby, later).ok());
        assert!(
            begun.count() <= 6,
            "those of the last five seconds, and one that is free"
        );
    }

    #[test]
    fn far_ahead_there_are_no_turns_but_a_hint() {
        let start = Instant::now();
        let joins = joins(1, start);
        let lobby = RoomSlug::lobby();
        for _ in 0..=61 {
            joins.take(start);
        }
        let mut turns = Turns::default();
        let wait = turns.begin(&joins, &lobby, start).expect_err("no turn");
        assert!((LONGEST / 2..=LONGEST).contains(&wait));
        assert_eq!(turns.others(&RoomSlug::try_from("a".to_owned()).unwrap()), 0);
        assert!(
            turns.begin(&joins, &lobby, start + wait).is_err(),
            "at the end of those who have a turn"
        );
    }
}
