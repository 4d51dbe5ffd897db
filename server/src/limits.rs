//! Rates and caps at run time: who may do one more thing now, and if not, when.

mod arrivals;
mod joins;
mod rate;
mod volume;

pub use joins::Turns;
pub use rate::{Bucket, Rate};

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use governor::clock::Clock;
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};
use protocol::RoomSlug;

use arrivals::Arrivals;
use joins::Joins;
use volume::Volume;

use crate::config::Limits;

/// The limits of the whole process. Cheap to clone.
#[derive(Clone)]
pub struct Gate {
    limits: Arc<Limits>,
    addresses: Arc<DefaultKeyedRateLimiter<IpAddr>>,
    pages: Arc<DefaultKeyedRateLimiter<IpAddr>>,
    joins: Arc<Joins>,
    sign_ins: Arc<Arrivals>,
    new_rooms: Arc<Arrivals>,
    stored: Arc<Volume>,
    read: Arc<Volume>,
}

/// Pages of one address: per second, and at once. Many people behind one address load a page now and then; a browser
/// that opens all of its tabs again stays below.
const PAGES: (NonZeroU32, NonZeroU32) = match (NonZeroU32::new(20), NonZeroU32::new(100)) {
    (Some(per_second), Some(burst)) => (per_second, burst),
    _ => (NonZeroU32::MIN, NonZeroU32::MIN),
};

/// Bytes of messages that one address has stored. People write far less; a room of large messages moves in at once.
const STORED: Rate = Rate {
    per_second: 1024 * 1024,
    burst: 20 * 1024 * 1024,
};
/// Bytes of the rooms' logs that one address reads by `history` and `join`. A hundred people behind one address who
/// come back at once stay below it.
const READ: Rate = Rate {
    per_second: 4 * 1024 * 1024,
    burst: 20 * 1024 * 1024,
};

/// How long the address table may grow before what is idle is forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(60);

impl Gate {
    /// A gate with these limits.
    pub fn new(limits: Limits) -> Self {
        let addresses = Arc::new(RateLimiter::keyed(quota(limits.address_rate)));
        let pages = Arc::new(RateLimiter::keyed(quota(PAGES)));
        let joins = Arc::new(Joins::new(limits.joins_per_second, Instant::now()));
        Self {
            sign_ins: Arc::new(Arrivals::new(limits.sign_ins_per_address)),
            new_rooms: Arc::new(Arrivals::new(limits.new_rooms_per_address)),
            stored: Arc::new(Volume::new(STORED)),
            read: Arc::new(Volume::new(READ)),
            limits: Arc::new(limits),
            addresses,
            pages,
            joins,
        }
    }

    /// The configured numbers.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Counts one action of an address, or says how long it must wait.
    pub fn address(&self, address: IpAddr) -> Result<(), Duration> {
        if !self.limits.rates {
            return Ok(());
        }
        self.addresses
            .check_key(&network(address))
            .map_err(|until| until.wait_time_from(self.addresses.clock().now()))
    }

    /// Counts one page of an address, or says how long it must wait.
    pub fn page(&self, address: IpAddr) -> Result<(), Duration> {
        if !self.limits.rates {
            return Ok(());
        }
        self.pages
            .check_key(&network(address))
            .map_err(|until| until.wait_time_from(self.pages.clock().now()))
    }

    /// Counts one more person of an address, or says how long they must wait.
    pub fn sign_in(&self, address: IpAddr) -> Result<(), Duration> {
        self.arrival(&self.sign_ins, address)
    }

    /// Counts one more room of an address, or says how long it must wait.
    pub fn new_room(&self, address: IpAddr) -> Result<(), Duration> {
        self.arrival(&self.new_rooms, address)
    }

    /// Counts what an address wants to have stored, or says how long it must wait.
    pub fn store(&self, address: IpAddr, bytes: usize) -> Result<(), Duration> {
        self.volume(&self.stored, address, bytes)
    }

    /// Counts what an address has read of a log, or says how long it must wait. Asked with none before it reads.
    pub fn read(&self, address: IpAddr, bytes: usize) -> Result<(), Duration> {
        self.volume(&self.read, address, bytes)
    }

    fn volume(&self, volume: &Volume, address: IpAddr, bytes: usize) -> Result<(), Duration> {
        if self.limits.rates {
            volume.take(network(address), bytes, tokio::time::Instant::now())
        } else {
            Ok(())
        }
    }

    fn arrival(&self, arrivals: &Arrivals, address: IpAddr) -> Result<(), Duration> {
        if self.limits.rates {
            arrivals.count(address)
        } else {
            Ok(())
        }
    }

    /// Begins a join, or says how long the connection that has these turns must wait for its own.
    pub fn join(&self, turns: &mut Turns, room: &RoomSlug, now: Instant) -> Result<(), Duration> {
        if !self.limits.rates {
            return Ok(());
        }
        turns.begin(&self.joins, room, now)
    }

    /// The limiter of one connection.
    pub fn connection(&self, address: IpAddr) -> ConnectionGate {
        ConnectionGate {
            gate: self.clone(),
            address,
            // To set up a clock takes longer than all the rest of a connection.
            rate: RateLimiter::direct_with_clock(
                quota(self.limits.connection_rate),
                self.addresses.clock().clone(),
            ),
            closed_until: Mutex::new(None),
        }
    }

    /// Forgets addresses that have been idle, for as long as the process lives.
    pub async fn forget_idle(self) {
        loop {
            tokio::time::sleep(FORGET_EVERY).await;
            for table in [&self.addresses, &self.pages] {
                table.retain_recent();
                table.shrink_to_fit();
            }
            self.sign_ins.forget_idle();
            self.new_rooms.forget_idle();
            let now = tokio::time::Instant::now();
            self.stored.forget_idle(now);
            self.read.forget_idle(now);
        }
    }
}

/// What counts as one address: whoever has an IPv6 address has 2^64 of them, all with the same first 64 bits. Every
/// limit per address counts these.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let first = u128::from(address) & (u128::MAX << 64);
            IpAddr::V6(first.into())
        }
        address => address,
    }
}

fn quota((per_second, burst): (NonZeroU32, NonZeroU32)) -> Quota {
    Quota::per_second(per_second).allow_burst(burst)
}

/// The rate of one connection and, behind it, of its address.
pub struct ConnectionGate {
    gate: Gate,
    address: IpAddr,
    rate: DefaultDirectRateLimiter,
    closed_until: Mutex<Option<Instant>>,
}

impl ConnectionGate {
    /// Counts one command, or says how long the client must wait.
    ///
    /// Once a command is refused, so are all that follow until the wait is over: otherwise a client that does not
    /// wait for answers would see a later message accepted before an earlier one.
    pub fn command(&self, now: Instant) -> Result<(), Duration> {
        let mut closed_until = self.closed_until.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = closed_until.filter(|until| *until > now) {
            return Err(until - now);
        }
        *closed_until = None;
        let wait = match self.rate() {
            Ok(()) => match self.gate.address(self.address) {
                Ok(()) => return Ok(()),
                Err(wait) => wait,
            },
            Err(wait) => wait,
        };
        // A few milliseconds would only make the client knock again at once.
        let wait = wait.max(Duration::from_millis(200));
        *closed_until = Some(now + wait);
        Err(wait)
    }

    /// Refuses everything for a while, because a queue is full.
    pub fn close(&self, now: Instant, wait: Duration) -> Duration {
        *self.closed_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(now + wait);
        wait
    }

    fn rate(&self) -> Result<(), Duration> {
        if !self.gate.limits.rates {
            return Ok(());
        }
        self.rate
            .check()
            .map_err(|until| until.wait_time_from(self.rate.clock().now()))
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

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn after_a_refusal_everything_waits_together() {
        let connection =
            gate(&[("HUBBUB_COMMAND_BURST", "3"), ("HUBBUB_COMMANDS_PER_SECOND", "1")]).connection(HOME);
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

    #[test]
    fn a_network_is_one_address() {
        for (address, counted) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:3::1", "2001:db8:1:3::"),
            ("::1", "::"),
        ] {
            let counted: IpAddr = counted.parse().unwrap();
            assert_eq!(network(address.parse().unwrap()), counted, "{address}");
        }
        let gate = gate(&[("HUBBUB_ADDRESS_COMMAND_BURST", "1")]);
        let of = |host: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, host]);
        assert!(gate.address(of(1)).is_ok() && gate.address(of(2)).is_err());
    }

    #[test]
    fn an_address_shares_its_rate() {
        let gate = gate(&[
            ("HUBBUB_ADDRESS_COMMAND_BURST", "2"),
            ("HUBBUB_ADDRESS_COMMANDS_PER_SECOND", "1"),
        ]);
        let (a, b) = (gate.connection(HOME), gate.connection(HOME));
        let now = Instant::now();
        assert!(a.command(now).is_ok() && b.command(now).is_ok() && a.command(now).is_err());
    }

    #[test]
    fn off_means_off() {
        let gate = gate(&[("HUBBUB_LIMITS", "off"), ("HUBBUB_COMMAND_BURST", "1")]);
        let connection = gate.connection(HOME);
        assert!((0..9).all(|_| connection.command(Instant::now()).is_ok()));
    }
}
