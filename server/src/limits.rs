//! Rates and caps at run time: who may do something now, or how long they must wait.

mod arrivals;
mod joins;
mod rate;
mod volume;

pub use chat::caller::network;
pub use joins::Turns;
pub use rate::{Bucket, Rate};

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chat::ports::{Cost, Rates};
use governor::clock::Clock;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use protocol::RoomSlug;

use arrivals::Arrivals;
use joins::Joins;
use volume::Volume;

use crate::config::Limits;
use crate::proxies::ClientAddress;

/// All limits of the process. Cheap to clone.
#[derive(Clone)]
pub struct Gate(Arc<Shared>);

struct Shared {
    limits: Limits,
    addresses: DefaultKeyedRateLimiter<ClientAddress>,
    pages: Arrivals,
    joins: Joins,
    sign_ins: Arrivals,
    new_rooms: Arrivals,
    guests: Arrivals,
    stored: Volume,
    read: Volume,
}

/// How long it takes until a used-up allowance for new people, or rooms, is whole again. Both stay in storage.
///
/// For people it is long: the first day of an office brings hundreds at once, but no other day does. With the default
/// of 300, another person may sign in every six seconds, 14,400 a day. People who never write expire after 30 days,
/// so one address never keeps more than about 430,000 of them, some 130 MB.
const PEOPLE_REFILL: Duration = Duration::from_secs(30 * 60);
const ROOMS_REFILL: Duration = Duration::from_secs(5 * 60);

/// Pages per address: a burst, and the time in which it refills, twenty a second. People behind one address load a
/// page now and then, and a browser that reopens all its tabs stays below the burst.
const PAGES: (NonZeroU32, Duration) = (many(100), Duration::from_secs(5));

/// Guests of the namespace `/` per address: a burst, and the time in which it refills, twenty a second. Guests leave
/// nothing in storage, but everyone in the lobby is told of each. After a network failure three hundred may return at
/// once. The address's Engine.IO sessions bound how many are connected at a time.
const GUESTS: (NonZeroU32, Duration) = (many(300), Duration::from_secs(15));

const fn many(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}

/// Bytes of messages that one address may store. People write far less; importing a room of large messages fits the
/// burst.
const STORED: Rate = Rate {
    per_second: 1024 * 1024,
    burst: 20 * 1024 * 1024,
};
/// Bytes of logs that one address may read through `history` and `join`. A hundred people behind one address who
/// reconnect at once stay below it.
const READ: Rate = Rate {
    per_second: 4 * 1024 * 1024,
    burst: 20 * 1024 * 1024,
};

/// How often idle addresses are removed from the tables.
const FORGET_EVERY: Duration = Duration::from_secs(60);

impl Gate {
    pub fn new(limits: Limits) -> Self {
        let (per_second, burst) = limits.address_rate;
        Self(Arc::new(Shared {
            addresses: RateLimiter::keyed(Quota::per_second(per_second).allow_burst(burst)),
            joins: Joins::new(limits.joins_per_second, Instant::now()),
            sign_ins: Arrivals::new(limits.sign_ins_per_address, PEOPLE_REFILL),
            new_rooms: Arrivals::new(limits.new_rooms_per_address, ROOMS_REFILL),
            guests: Arrivals::new(GUESTS.0, GUESTS.1),
            pages: Arrivals::new(PAGES.0, PAGES.1),
            stored: Volume::new(STORED),
            read: Volume::new(READ),
            limits,
        }))
    }

    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Counts one command of an address, or says how long it must wait.
    pub fn address(&self, address: ClientAddress) -> Result<(), Duration> {
        if !self.0.limits.rates {
            return Ok(());
        }
        let addresses = &self.0.addresses;
        addresses
            .check_key(&address)
            .map_err(|until| until.wait_time_from(addresses.clock().now()))
    }

    /// Counts one page of an address, or says how long it must wait.
    pub fn page(&self, address: ClientAddress) -> Result<(), Duration> {
        self.arrival(&self.0.pages, address)
    }

    /// Counts one new person of an address, or says how long they must wait.
    fn sign_in(&self, address: ClientAddress) -> Result<(), Duration> {
        self.arrival(&self.0.sign_ins, address)
    }

    /// Counts one new room of an address, or says how long it must wait.
    fn new_room(&self, address: ClientAddress) -> Result<(), Duration> {
        self.arrival(&self.0.new_rooms, address)
    }

    /// Counts one guest of an address, or says how long they must wait.
    fn guest(&self, address: ClientAddress) -> Result<(), Duration> {
        self.arrival(&self.0.guests, address)
    }

    /// Counts bytes that an address wants to store, or says how long it must wait.
    fn store(&self, address: ClientAddress, bytes: usize) -> Result<(), Duration> {
        self.volume(&self.0.stored, address, bytes)
    }

    /// Counts bytes that an address has read. With zero bytes, checks before the read whether it must wait.
    fn read(&self, address: ClientAddress, bytes: usize) -> Result<(), Duration> {
        if bytes == 0 {
            return self.volume(&self.0.read, address, 0);
        }
        if self.0.limits.rates {
            self.0.read.add(address, bytes, tokio::time::Instant::now());
        }
        Ok(())
    }

    fn volume(&self, volume: &Volume, address: ClientAddress, bytes: usize) -> Result<(), Duration> {
        if self.0.limits.rates {
            volume.take(address, bytes, tokio::time::Instant::now())
        } else {
            Ok(())
        }
    }

    fn arrival(&self, arrivals: &Arrivals, address: ClientAddress) -> Result<(), Duration> {
        if self.0.limits.rates {
            arrivals.count(address, Instant::now())
        } else {
            Ok(())
        }
    }

    /// Starts a join, or says how long the connection with these turns must wait for its own.
    pub fn join(
        &self,
        address: ClientAddress,
        turns: &mut Turns,
        room: &RoomSlug,
        now: Instant,
    ) -> Result<(), Duration> {
        if !self.0.limits.rates {
            return Ok(());
        }
        turns.begin(&self.0.joins, address, room, now)
    }

    /// The rate limiter of one connection.
    pub fn connection(&self, address: ClientAddress) -> ConnectionGate {
        let (rate, now) = (self.connection_rate(), Instant::now());
        ConnectionGate {
            gate: self.clone(),
            address,
            pace: Mutex::new(Pace {
                left: Bucket::new(rate, now.into()),
                closed_until: None,
            }),
        }
    }

    fn connection_rate(&self) -> Rate {
        let (per_second, burst) = self.0.limits.connection_rate;
        Rate {
            per_second: per_second.get(),
            burst: burst.get(),
        }
    }

    /// Removes idle addresses from the tables, for as long as the process lives.
    pub async fn forget_idle(self) {
        loop {
            tokio::time::sleep(FORGET_EVERY).await;
            let all = &self.0;
            all.addresses.retain_recent();
            all.addresses.shrink_to_fit();
            for table in [&all.sign_ins, &all.new_rooms, &all.guests, &all.pages] {
                table.forget_idle(Instant::now());
            }
            let now = tokio::time::Instant::now();
            all.stored.forget_idle(now);
            all.read.forget_idle(now);
        }
    }
}

impl Rates for Gate {
    fn take(&self, address: ClientAddress, cost: Cost) -> Result<(), Duration> {
        match cost {
            Cost::Person => self.sign_in(address),
            Cost::Guest => self.guest(address),
            Cost::Room => self.new_room(address),
            Cost::Stored(bytes) => self.store(address, bytes),
            Cost::Read(bytes) => self.read(address, bytes),
        }
    }
}

/// The rates of one connection and of its address.
pub struct ConnectionGate {
    gate: Gate,
    address: ClientAddress,
    pace: Mutex<Pace>,
}

struct Pace {
    left: Bucket,
    closed_until: Option<Instant>,
}

impl ConnectionGate {
    /// Counts one command, or says how long the client must wait.
    ///
    /// After a refusal, every later command is refused until the wait is over. Otherwise a client that does not wait
    /// for answers would see a later message accepted before an earlier one.
    pub fn command(&self, now: Instant) -> Result<(), Duration> {
        let mut pace = self.pace();
        if let Some(until) = pace.closed_until.filter(|until| *until > now) {
            return Err(until - now);
        }
        pace.closed_until = None;
        let own = match self.gate.0.limits.rates {
            true => pace.left.take(self.gate.connection_rate(), now.into()),
            false => Ok(()),
        };
        let Err(wait) = own.and_then(|()| self.gate.address(self.address)) else {
            return Ok(());
        };
        // A wait of a few milliseconds would only make the client retry at once.
        let wait = wait.max(Duration::from_millis(200));
        pace.closed_until = Some(now + wait);
        Err(wait)
    }

    /// Refuses everything for a while, because a queue is full.
    pub fn close(&self, now: Instant, wait: Duration) -> Duration {
        self.pace().closed_until = Some(now + wait);
        wait
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn gate(variables: &[(&str, &str)]) -> Gate {
        let config = Config::parse(|name| {
            variables
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| (*v).to_owned())
        });
        Gate::new(config.unwrap().limits)
    }

    fn home() -> ClientAddress {
        ClientAddress::of([127, 0, 0, 1].into())
    }

    #[test]
    fn after_a_refusal_later_commands_wait_too() {
        let connection =
            gate(&[("HUBBUB_COMMAND_BURST", "3"), ("HUBBUB_COMMANDS_PER_SECOND", "1")]).connection(home());
        let start = Instant::now();
        for _ in 0..3 {
            assert!(connection.command(start).is_ok());
        }
        let wait = connection.command(start).expect_err("the burst is used up");
        assert!(
            connection.command(start + wait / 2).is_err(),
            "no later command overtakes a refused one"
        );
    }

    /// Exhausts every limit per address with one address, then tries another of its network.
    #[test]
    fn addresses_of_one_network_share_every_limit() {
        type Limit = fn(&Gate, ClientAddress) -> Result<(), Duration>;
        let limits: [(&str, Limit); 9] = [
            ("commands", |gate, address| gate.address(address)),
            ("commands of connections", |gate, address| {
                gate.connection(address).command(Instant::now())
            }),
            ("pages", |gate, address| gate.page(address)),
            ("sign-ins", |gate, address| gate.sign_in(address)),
            ("rooms", |gate, address| gate.new_room(address)),
            ("guests", |gate, address| gate.guest(address)),
            ("stored", |gate, address| gate.store(address, 10 << 20)),
            ("read", |gate, address| {
                gate.read(address, 0)?;
                gate.read(address, 10 << 20)
            }),
            // An address with few turns gets a reserved one soon, so only a long wait counts as a refusal.
            ("joins", |gate, address| {
                let mut turns = Turns::default();
                let wait = gate.join(address, &mut turns, &RoomSlug::lobby(), Instant::now());
                wait.or_else(|wait| {
                    if wait > Duration::from_secs(20) {
                        Err(wait)
                    } else {
                        Ok(())
                    }
                })
            }),
        ];
        let of = |host: u16| ClientAddress::of([0x2001, 0xdb8, 0, 1, 0, 0, 0, host].into());
        let elsewhere = ClientAddress::of([0x2001, 0xdb8, 0, 2, 0, 0, 0, 1].into());
        for (name, limit) in limits {
            let gate = gate(&[
                ("HUBBUB_ADDRESS_COMMAND_BURST", "100"),
                ("HUBBUB_ADDRESS_COMMANDS_PER_SECOND", "1"),
                ("HUBBUB_SIGN_INS_PER_ADDRESS", "100"),
                ("HUBBUB_NEW_ROOMS_PER_ADDRESS", "100"),
                ("HUBBUB_JOINS_PER_SECOND", "1"),
            ]);
            let refused = (0..2_000).any(|_| limit(&gate, of(1)).is_err());
            assert!(refused, "{name} have a limit");
            assert!(limit(&gate, of(2)).is_err(), "{name}: the same network");
            assert!(limit(&gate, elsewhere).is_ok(), "{name}: another network");
        }
    }

    #[test]
    fn an_address_shares_its_rate() {
        let gate = gate(&[
            ("HUBBUB_ADDRESS_COMMAND_BURST", "2"),
            ("HUBBUB_ADDRESS_COMMANDS_PER_SECOND", "1"),
        ]);
        let (a, b) = (gate.connection(home()), gate.connection(home()));
        let now = Instant::now();
        assert!(a.command(now).is_ok() && b.command(now).is_ok() && a.command(now).is_err());
    }

    #[test]
    fn what_an_address_reads_at_once_is_counted_whole() {
        let gate = gate(&[]);
        for _ in 0..2 {
            let _ = gate.take(home(), Cost::Read(READ.burst as usize));
        }
        let wait = gate.take(home(), Cost::Read(0)).expect_err("it owes a burst");
        let whole = Duration::from_secs((READ.burst / READ.per_second).into());
        assert!(wait > whole / 2 && wait <= whole, "{wait:?}");
    }

    #[test]
    fn off_means_off() {
        let gate = gate(&[("HUBBUB_LIMITS", "off"), ("HUBBUB_COMMAND_BURST", "1")]);
        let connection = gate.connection(home());
        assert!((0..9).all(|_| connection.command(Instant::now()).is_ok()));
    }
}
