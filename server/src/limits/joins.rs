//! Limits how many joins start per second in this process. A join that comes too early is told when its turn is.
//!
//! `governor` counts events but promises nothing: it gives every refused caller the same time. Here each refusal gets
//! a turn of its own, so thousands of clients that return at once are spread out, and each asks twice instead of
//! again and again.
//!
//! Turns are numbered and follow one another at the rate. Every fourth is reserved for addresses with few turns ahead
//! of them, so a newcomer does not queue behind a few greedy addresses.

use std::collections::{HashMap, VecDeque};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use protocol::RoomSlug;

use crate::proxies::ClientAddress;

/// Never promise a turn further ahead than this; conditions will have changed.
const LONGEST: Duration = Duration::from_secs(60);
/// Clients' timers may fire this early.
const EARLY: Duration = Duration::from_millis(20);
/// A turn expires after this time, so turns cannot be saved up.
const KEPT: Duration = Duration::from_secs(5);
/// After a quiet time, one second's joins divided by this may start at once.
const BURST: u32 = 10;
/// One in this many turns is reserved for addresses with few turns.
const RESERVED: u64 = 4;
/// An address with this many turns ahead no longer has few.
const FEW: usize = 8;
/// How often addresses without turns are removed.
const FORGET: Duration = Duration::from_secs(1);

/// All joins of the process.
pub struct Joins {
    began: Instant,
    every: Duration,
    burst: u64,
    given: Mutex<Given>,
}

/// The turns that were given out.
struct Given {
    /// The first free turn that is open to all addresses.
    next: u64,
    /// The first free turn that is reserved.
    reserved: u64,
    /// The latest turns of each address that has some ahead, [`FEW`] at most.
    addresses: HashMap<ClientAddress, VecDeque<u64>>,
    /// When to remove addresses without turns next.
    forget_at: Instant,
}

impl Joins {
    /// Joins at this rate, starting `now`.
    pub fn new(per_second: NonZeroU32, now: Instant) -> Self {
        Self {
            began: now,
            every: Duration::from_secs(1) / per_second.get(),
            burst: u64::from((per_second.get() / BURST).saturating_sub(1)),
            given: Mutex::new(Given {
                next: 0,
                reserved: RESERVED - 1,
                addresses: HashMap::new(),
                forget_at: now + FORGET,
            }),
        }
    }

    /// The number of the turn that is due at this time.
    fn number(&self, now: Instant) -> u64 {
        let nanos = now.saturating_duration_since(self.began).as_nanos() / self.every.as_nanos().max(1);
        u64::try_from(nanos).unwrap_or(u64::MAX)
    }

    /// When a turn is due.
    fn at(&self, number: u64) -> Instant {
        let every = u64::try_from(self.every.as_nanos()).unwrap_or(u64::MAX);
        self.began + Duration::from_nanos(every.saturating_mul(number))
    }

    /// Takes the next turn that this address may have. After a quiet time it may lie in the past.
    fn take(&self, address: ClientAddress, now: Instant) -> Option<Instant> {
        let current = self.number(now);
        let first = current.saturating_sub(self.burst);
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        if now >= given.forget_at {
            given.forget_at = now + FORGET;
            let ahead = |turns: &VecDeque<u64>| turns.back().is_some_and(|turn| *turn > current);
            given.addresses.retain(|_, turns| ahead(turns));
            given.addresses.shrink_to_fit();
        }
        let open = skip_reserved(given.next.max(first));
        let reserved = next_reserved(given.reserved.max(first));
        let turns = given.addresses.get(&address);
        let few = turns.is_none_or(|turns| turns.len() < FEW || turns[0] <= current);
        let turn = if few { open.min(reserved) } else { open };
        let at = self.at(turn);
        if at > now + LONGEST {
            return None;
        }
        if turn == open {
            given.next = turn + 1;
        } else {
            given.reserved = turn + 1;
        }
        let turns = given.addresses.entry(address).or_default();
        if turns.len() == FEW {
            turns.pop_front();
        }
        turns.push_back(turn);
        Some(at)
    }
}

/// The first turn from this one on that is open to all addresses.
fn skip_reserved(number: u64) -> u64 {
    number + u64::from(number % RESERVED == RESERVED - 1)
}

/// The first turn from this one on that is reserved.
fn next_reserved(number: u64) -> u64 {
    number + (RESERVED - 1 - number % RESERVED)
}

/// The turns that one connection waits for, by room. There are never more than the rooms that it may be in.
#[derive(Default)]
pub struct Turns(Option<Box<Kept>>);

/// The turns of a connection that waits for some. Boxed, because most connections wait only once, at the start.
#[derive(Default)]
struct Kept(Vec<(RoomSlug, Instant)>);

impl Turns {
    /// Starts a join, or says how long the connection must wait for its turn.
    pub fn begin(
        &mut self,
        joins: &Joins,
        address: ClientAddress,
        room: &RoomSlug,
        now: Instant,
    ) -> Result<(), Duration> {
        let kept = self.take(room, now);
        let Some(turn) = kept.or_else(|| joins.take(address, now)) else {
            return Err(some_time());
        };
        if turn <= now + EARLY {
            return Ok(());
        }
        self.0.get_or_insert_default().0.push((room.clone(), turn));
        Err(turn - now)
    }

    /// Removes and returns the turn for this room, and removes those that have expired.
    fn take(&mut self, room: &RoomSlug, now: Instant) -> Option<Instant> {
        let Kept(turns) = &mut **self.0.as_mut()?;
        turns.retain(|(_, turn)| now < *turn + KEPT);
        let at = turns.iter().position(|(known, _)| known == room);
        let turn = at.map(|at| turns.swap_remove(at).1);
        if turns.is_empty() {
            self.0 = None;
        }
        turn
    }

    /// How many other rooms this connection waits for.
    pub fn others(&self, room: &RoomSlug) -> usize {
        let turns = self.0.iter().flat_map(|kept| &kept.0);
        turns.filter(|(known, _)| known != room).count()
    }
}

/// A random wait between half of [`LONGEST`] and all of it.
fn some_time() -> Duration {
    // Without randomness clients would return together and be deferred again.
    let random = getrandom::u32().unwrap_or_default();
    LONGEST / 2 + (LONGEST / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joins(per_second: u32, now: Instant) -> Joins {
        Joins::new(NonZeroU32::new(per_second).unwrap(), now)
    }

    /// The n-th address of a network.
    fn address(n: u32) -> ClientAddress {
        ClientAddress::of((0x0a00_0000 + n).to_be_bytes().into())
    }

    /// A connection.
    struct Caller {
        address: ClientAddress,
        turns: Turns,
    }

    impl Caller {
        fn begin(&mut self, joins: &Joins, room: &RoomSlug, now: Instant) -> Result<(), Duration> {
            self.turns.begin(joins, self.address, room, now)
        }
    }

    /// A connection from the n-th address.
    fn caller(n: u32) -> Caller {
        Caller {
            address: address(n),
            turns: Turns::default(),
        }
    }

    #[test]
    fn a_flood_from_some_addresses_hardly_delays_another() {
        for flooding in [1, 7, 50] {
            let start = Instant::now();
            let joins = joins(1_000, start);
            let lobby = RoomSlug::lobby();
            // Each flooding address asks for as many turns as its connections may have.
            for n in 0..300 * 50 {
                joins.take(address(1 + n % flooding), start);
            }
            let mut worst = Duration::ZERO;
            for newcomer in 0..100 {
                let mut turns = caller(1_000 + newcomer);
                let asked = start + Duration::from_millis(u64::from(newcomer) * 10);
                // The flood goes on.
                for n in 0..20 {
                    joins.take(address(1 + n % flooding), asked);
                }
                if let Err(wait) = turns.begin(&joins, &lobby, asked) {
                    worst = worst.max(wait);
                }
            }
            assert!(
                worst <= Duration::from_secs(2),
                "{worst:?} with {flooding} addresses"
            );
            assert!(flooding > 7 || worst <= Duration::from_millis(500), "{worst:?}");
        }
    }

    #[test]
    fn one_address_alone_has_most_of_the_rate() {
        let start = Instant::now();
        let joins = joins(100, start);
        let waits = (0..300).filter_map(|_| joins.take(address(0), start));
        let last = waits.last().unwrap() - start;
        assert!((Duration::from_millis(3_800)..=Duration::from_secs(4)).contains(&last));
    }

    #[test]
    fn addresses_without_turns_are_forgotten() {
        let start = Instant::now();
        let joins = joins(100, start);
        for n in 0..50 {
            joins.take(address(n), start);
        }
        joins.take(address(99), start + Duration::from_secs(2));
        assert_eq!(joins.given.lock().unwrap().addresses.len(), 1);
    }

    #[test]
    fn each_client_gets_its_own_turn_and_keeps_it() {
        let start = Instant::now();
        let joins = joins(100, start);
        let lobby = RoomSlug::lobby();
        let mut people: Vec<Caller> = (0..500).map(caller).collect();
        let waits: Vec<Duration> = people
            .iter_mut()
            .filter_map(|turns| turns.begin(&joins, &lobby, start).err())
            .collect();
        assert!(waits.is_sorted() && waits.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(waits.last(), Some(&Duration::from_millis(4_990)));

        // A newcomer does not overtake, and a client that comes at its turn is let in.
        let mut late = caller(501);
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
        let mut turns = caller(0);
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
        let mut turns = caller(0);
        assert_eq!(turns.begin(&joins, &a, start), Ok(()));
        assert_eq!(turns.begin(&joins, &a, start), Err(Duration::from_secs(1)));
        assert_eq!(turns.begin(&joins, &b, start), Err(Duration::from_secs(2)));
        assert_eq!((turns.turns.others(&a), turns.turns.others(&b)), (1, 1));
        assert_eq!(turns.begin(&joins, &a, start + Duration::from_secs(1)), Ok(()));
        assert_eq!(turns.turns.others(&a), 1);
    }

    #[test]
    fn turns_cannot_be_saved_up() {
        let start = Instant::now();
        let joins = joins(1, start);
        let lobby = RoomSlug::lobby();
        let mut turns: Vec<Caller> = (0..40).map(caller).collect();
        for turns in &mut turns {
            turns.begin(&joins, &lobby, start).ok();
        }
        let later = start + Duration::from_secs(40);
        let begun = turns
            .iter_mut()
            .filter_map(|turns| turns.begin(&joins, &lobby, later).ok());
        assert!(
            begun.count() <= 6,
            "turns of the last five seconds, and a free one"
        );
    }

    #[test]
    fn far_ahead_there_is_a_hint_instead_of_a_turn() {
        let start = Instant::now();
        let joins = joins(1, start);
        let lobby = RoomSlug::lobby();
        for n in 0..=61 {
            joins.take(address(1 + n), start);
        }
        let mut turns = caller(0);
        let wait = turns.begin(&joins, &lobby, start).expect_err("no turn");
        assert!((LONGEST / 2..=LONGEST).contains(&wait));
        assert_eq!(
            turns.turns.others(&RoomSlug::try_from("a".to_owned()).unwrap()),
            0
        );
        assert!(
            turns.begin(&joins, &lobby, start + wait).is_err(),
            "it comes after all clients that have a turn"
        );
    }
}
