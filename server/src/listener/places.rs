//! Places for connections: a cap per address, and one for the process.
//!
//! When all places are taken, the address with the most connections gives one up. Otherwise a few addresses with idle
//! connections could lock out all other clients.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::limits::network;
use crate::live::Wire;

/// All places of the process. Cheap to clone.
#[derive(Clone)]
pub struct Places(Arc<Shared>);

struct Shared {
    /// The cap per address. `None`: no cap.
    each: Option<usize>,
    all: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    /// By address, oldest first.
    addresses: HashMap<IpAddr, BTreeMap<u64, Weak<Wire>>>,
}

/// Why a connection gets no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Its address is at its cap.
    Address,
    /// All places are taken, and no address has more than the new one would have.
    Full,
}

/// A place, returned when dropped.
pub struct Ticket {
    places: Places,
    /// `None` for a trusted proxy, which stands for many clients.
    address: Option<IpAddr>,
    number: u64,
}

impl Places {
    /// `all` places for the process, at most `each` per address.
    pub fn new(all: usize, each: Option<usize>) -> Self {
        let taken = Mutex::default();
        Self(Arc::new(Shared { each, all, taken }))
    }

    /// Takes a place for a connection from this address; `None` is a trusted proxy. If all places are taken, the
    /// address with the most connections loses its newest one, provided it has more than this address would then have.
    ///
    /// # Errors
    /// If there is no place.
    pub fn take(&self, address: Option<IpAddr>, wire: &Arc<Wire>) -> Result<Ticket, Refused> {
        let address = address.map(network);
        let mut taken = self.taken();
        let own = address.map_or(0, |address| taken.of(&address));
        if address.is_some() && self.0.each.is_some_and(|each| own >= each) {
            return Err(Refused::Address);
        }
        if taken.all >= self.0.all {
            // A connection that is already closing frees its place without our help.
            if let Some(wire) = taken.make_room(own + 1)? {
                wire.close();
            }
        }
        taken.all += 1;
        let number = wire.number();
        if let Some(address) = address {
            let connections = taken.addresses.entry(address).or_default();
            connections.insert(number, Arc::downgrade(wire));
        }
        drop(taken);
        Ok(Ticket {
            places: self.clone(),
            address,
            number,
        })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn of(&self, address: &IpAddr) -> usize {
        self.addresses.get(address).map_or(0, BTreeMap::len)
    }

    /// Takes back the place of the newest connection from the address with the most, if it has more than `than`.
    fn make_room(&mut self, than: usize) -> Result<Option<Arc<Wire>>, Refused> {
        let most = self
            .addresses
            .values_mut()
            .max_by_key(|connections| connections.len());
        let most = most.filter(|connections| connections.len() > than);
        let (_, newest) = most.and_then(BTreeMap::pop_last).ok_or(Refused::Full)?;
        self.all -= 1;
        Ok(newest.upgrade())
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        let Some(address) = self.address else {
            taken.all -= 1;
            return;
        };
        let Some(connections) = taken.addresses.get_mut(&address) else {
            return;
        };
        // `make_room` may already have taken the place back.
        let had = connections.remove(&self.number).is_some();
        if connections.is_empty() {
            taken.addresses.remove(&address);
        }
        if had {
            taken.all -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::TcpStream;

    use prometheus_client::metrics::counter::Counter;
    use prometheus_client::metrics::gauge::Gauge;
    use tokio::net::TcpListener;

    use super::*;
    use crate::live::{BUDGET, Budget};

    /// A connection, and its peer's end.
    async fn connection() -> (Arc<Wire>, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (tcp, _) = listener.accept().await.unwrap();
        let budget = Budget::new(BUDGET, Gauge::default(), Counter::default());
        (Wire::new(tcp, &budget, Counter::default()), peer)
    }

    fn address(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    fn closed(peer: &mut TcpStream) -> bool {
        peer.set_nonblocking(true).unwrap();
        peer.read(&mut [0]).is_ok_and(|read| read == 0)
    }

    #[tokio::test]
    async fn the_address_with_the_most_connections_makes_room() {
        let places = Places::new(4, None);
        let mut crowd = Vec::new();
        for _ in 0..4 {
            let (wire, peer) = connection().await;
            let ticket = places.take(address(1), &wire).unwrap();
            crowd.push((wire, peer, ticket));
        }
        let (more, _peer) = connection().await;
        assert_eq!(places.take(address(1), &more).err(), Some(Refused::Full));
        let (other, _peer) = connection().await;
        let ticket = places.take(address(2), &other).unwrap();
        let closed: Vec<bool> = crowd.iter_mut().map(|(_, peer, _)| closed(peer)).collect();
        assert_eq!(closed, [false, false, false, true], "the newest of the crowd");
        let (second, _peer) = connection().await;
        let tickets = [ticket, places.take(address(2), &second).unwrap()];
        // Three and one would be no better than two and two.
        let (third, _peer) = connection().await;
        assert_eq!(places.take(address(2), &third).err(), Some(Refused::Full));
        drop((crowd, tickets));
        let taken = places.taken();
        assert!(taken.all == 0 && taken.addresses.is_empty());
    }

    #[tokio::test]
    async fn an_address_has_a_cap_and_a_proxy_has_none() {
        let places = Places::new(5, Some(1));
        let (wire, _peer) = connection().await;
        let ticket = places.take(address(1), &wire).unwrap();
        let (second, _peer) = connection().await;
        assert_eq!(places.take(address(1), &second).err(), Some(Refused::Address));
        drop(ticket);
        let _again = places.take(address(1), &second).unwrap();
        let (proxied, _peer) = connection().await;
        let tickets: Vec<_> = (0..4).map(|_| places.take(None, &proxied).unwrap()).collect();
        assert_eq!(places.take(None, &proxied).err(), Some(Refused::Full));
        drop(tickets);
        assert_eq!(places.taken().all, 1);
    }
}
