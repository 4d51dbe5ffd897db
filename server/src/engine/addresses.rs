//! Limits per address that all its sessions share, on either transport.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::frame::Fault;
use crate::config::Limits;
use crate::limits::network;
use crate::limits::{Bucket, Rate};

/// Bytes of incomplete messages per address: 32 of the largest.
const HELD_PER_ADDRESS: usize = 8 * 1024 * 1024;
/// Bytes of incomplete messages of all addresses.
const HELD: usize = 64 * 1024 * 1024;
/// A session that holds no more than this is not closed because of others.
const HELD_FREE: usize = 16 * 1024;
/// When an address at its cap of sessions may try again.
const OCCUPIED: Duration = Duration::from_secs(10);
/// Sessions that one address may open in a burst; each costs a few milliseconds with its first commands…
const OPENED_AT_ONCE: u32 = 250;
/// …and per second after that.
const OPENED_PER_SECOND: u32 = 100;
/// The rate of packets is this multiple of the rate of commands: pings and pongs are packets too, and a client that
/// exceeds the rate of commands should be refused before it is slowed down.
const PACKETS_PER_COMMAND: u32 = 2;
/// The table is first swept for idle addresses at this size.
const SWEEP: usize = 1_024;

/// All addresses that have sessions or had some recently.
pub struct Addresses {
    rules: Rules,
    known: Mutex<Known>,
    /// Bytes of incomplete messages of all addresses.
    held: AtomicUsize,
}

struct Known {
    addresses: HashMap<IpAddr, Arc<Address>>,
    sweep_at: usize,
}

/// The configured limits.
#[derive(Clone, Copy)]
struct Rules {
    /// Whether rates and caps apply.
    on: bool,
    sessions: usize,
    opened: Rate,
    packets: Rate,
    connection: Rate,
}

pub struct Address(Mutex<Use>);

struct Use {
    sessions: usize,
    held: usize,
    opened: Bucket,
    packets: Bucket,
}

/// The address may not open another session now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// When to try again.
    pub after: Duration,
}

/// One session's share of its address's limits, returned when dropped.
pub struct Seat {
    address: Arc<Address>,
    /// Bytes of incomplete messages that the session holds.
    held: usize,
    packets: Bucket,
}

impl Addresses {
    /// A table without addresses.
    pub fn new(limits: &Limits) -> Self {
        let rate = |(per_second, burst): (std::num::NonZeroU32, std::num::NonZeroU32)| Rate {
            per_second: per_second.get().saturating_mul(PACKETS_PER_COMMAND),
            burst: burst.get().saturating_mul(PACKETS_PER_COMMAND),
        };
        let sessions = limits.connections_per_address;
        Self {
            rules: Rules {
                on: limits.rates,
                sessions,
                opened: Rate {
                    per_second: OPENED_PER_SECOND,
                    burst: OPENED_AT_ONCE,
                },
                packets: rate(limits.address_rate),
                connection: rate(limits.connection_rate),
            },
            known: Mutex::new(Known {
                addresses: HashMap::new(),
                sweep_at: SWEEP,
            }),
            held: AtomicUsize::new(0),
        }
    }

    /// Takes a seat for a new session, and returns how long it must wait before it opens.
    ///
    /// # Errors
    /// If the address is at its cap of sessions.
    pub fn seat(&self, address: IpAddr, now: Instant) -> Result<(Seat, Duration), Refused> {
        let address = self.known(address, now);
        let mut used = address.used();
        let mut wait = Duration::ZERO;
        if self.rules.on {
            if used.sessions >= self.rules.sessions {
                return Err(Refused { after: OCCUPIED });
            }
            wait = used.opened.spend(1, self.rules.opened, now);
        }
        used.sessions += 1;
        drop(used);
        let seat = Seat {
            address,
            held: 0,
            packets: Bucket::new(self.rules.connection, now),
        };
        Ok((seat, wait))
    }

    /// Counts packets of a session, and returns how long it must not be read from.
    pub fn count(&self, seat: &mut Seat, packets: u32, now: Instant) -> Duration {
        if !self.rules.on {
            return Duration::ZERO;
        }
        let own = seat.packets.spend(packets, self.rules.connection, now);
        let mut used = seat.address.used();
        own.max(used.packets.spend(packets, self.rules.packets, now))
    }

    /// Records how many bytes of incomplete messages a session holds.
    ///
    /// # Errors
    /// If its address, or all addresses together, hold too much and this session is part of the cause.
    pub fn hold(&self, seat: &mut Seat, held: usize) -> Result<(), Fault> {
        if seat.held == held {
            return Ok(());
        }
        let mut used = seat.address.used();
        used.held = (used.held + held).saturating_sub(seat.held);
        let all = if held >= seat.held {
            self.held.fetch_add(held - seat.held, Ordering::Relaxed) + held - seat.held
        } else {
            self.held.fetch_sub(seat.held - held, Ordering::Relaxed)
        };
        let (grown, of_address) = (held > seat.held, used.held);
        seat.held = held;
        let too_much = all > HELD || (self.rules.on && of_address > HELD_PER_ADDRESS);
        if grown && held > HELD_FREE && too_much {
            return Err(Fault {
                code: 1013,
                why: "too many messages are incomplete",
            });
        }
        Ok(())
    }

    /// Releases what a session holds.
    pub fn leave(&self, seat: &mut Seat) {
        // Holding nothing cannot exceed a limit.
        let _ = self.hold(seat, 0);
    }

    fn known(&self, address: IpAddr, now: Instant) -> Arc<Address> {
        let address = network(address);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.addresses.len() >= known.sweep_at {
            let rules = self.rules;
            known
                .addresses
                .retain(|_, address| address.is_remembered(&rules, now));
            known.addresses.shrink_to_fit();
            known.sweep_at = (known.addresses.len() * 2).max(SWEEP);
        }
        let known = known.addresses.entry(address).or_insert_with(|| {
            Arc::new(Address(Mutex::new(Use {
                sessions: 0,
                held: 0,
                opened: Bucket::new(self.rules.opened, now),
                packets: Bucket::new(self.rules.packets, now),
            })))
        });
        Arc::clone(known)
    }
}

impl Address {
    fn used(&self) -> MutexGuard<'_, Use> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True if forgetting this address would lose state.
    fn is_remembered(&self, rules: &Rules, now: Instant) -> bool {
        let mut used = self.used();
        used.sessions > 0
            || !used.opened.is_full(rules.opened, now)
            || !used.packets.is_full(rules.packets, now)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.address.used().sessions -= 1;
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::config::Config;

    const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn addresses(variables: &'static [(&str, &str)]) -> Addresses {
        let config = Config::parse(|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        Addresses::new(&config.unwrap().limits)
    }

    #[test]
    fn sessions_count_until_they_end() {
        let addresses = addresses(&[("HUBBUB_CONNECTIONS_PER_ADDRESS", "2")]);
        let now = Instant::now();
        let first = addresses.seat(HOME, now).unwrap();
        let _second = addresses.seat(HOME, now).unwrap();
        assert!(addresses.seat(HOME, now).is_err());
        assert!(
            addresses.seat(Ipv4Addr::BROADCAST.into(), now).is_ok(),
            "other addresses may"
        );
        drop(first);
        assert!(addresses.seat(HOME, now).is_ok());
    }

    #[test]
    fn an_address_that_opens_many_sessions_waits() {
        let addresses = addresses(&[]);
        let now = Instant::now();
        let waits: Vec<_> = (0..350).map(|_| addresses.seat(HOME, now).unwrap().1).collect();
        assert_eq!(waits[249], Duration::ZERO);
        assert_eq!(waits[349], Duration::from_secs(1));
    }

    #[test]
    fn packets_are_slowed_down_for_the_session_and_its_address() {
        let addresses = addresses(&[]);
        let now = Instant::now();
        let (mut one, _) = addresses.seat(HOME, now).unwrap();
        assert_eq!(addresses.count(&mut one, 2_400, now), Duration::ZERO);
        assert_eq!(addresses.count(&mut one, 200, now), Duration::from_secs(1));
        let mut others: Vec<_> = (0..9).map(|_| addresses.seat(HOME, now).unwrap().0).collect();
        let waits: Vec<_> = others
            .iter_mut()
            .map(|other| addresses.count(other, 2_400, now))
            .collect();
        assert_eq!(waits[6], Duration::ZERO);
        assert!(waits[8] > Duration::from_secs(1), "{waits:?}");
    }

    #[test]
    fn the_sum_of_incomplete_messages_is_bounded() {
        let addresses = addresses(&[]);
        let now = Instant::now();
        let mut seats: Vec<_> = (0..100).map(|_| addresses.seat(HOME, now).unwrap().0).collect();
        let refused = seats
            .iter_mut()
            .filter_map(|seat| addresses.hold(seat, 256 * 1024).err())
            .count();
        assert_eq!(refused, 68, "32 of them fit");
        for mut seat in seats {
            addresses.leave(&mut seat);
        }
        assert_eq!(addresses.held.load(Ordering::Relaxed), 0);
        let (mut seat, _) = addresses.seat(HOME, now).unwrap();
        assert!(addresses.hold(&mut seat, 256 * 1024).is_ok());
    }

    #[test]
    fn idle_addresses_are_forgotten() {
        let addresses = addresses(&[]);
        let now = Instant::now();
        for n in 0..10_000_u32 {
            drop(addresses.seat(
                Ipv4Addr::from_bits(n).into(),
                now + Duration::from_millis(n.into()),
            ));
        }
        let known = addresses.known.lock().unwrap().addresses.len();
        assert!(known <= 2 * SWEEP, "{known}");
    }
}
