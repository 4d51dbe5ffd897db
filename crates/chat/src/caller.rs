//! Who sends a command.

use std::net::{IpAddr, Ipv4Addr};

use protocol::policy::{Denied, Role};
use protocol::{Person, Refusal};

use crate::room::ConnectionId;

/// Who sends a command to the [`Hub`](crate::Hub), as far as it is known.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The caller's address.
    pub address: ClientAddress,
    /// The signed-in person, if there is one.
    pub person: Option<&'a Person>,
    /// The connection that the command came through. HTTP requests have none.
    pub connection: Option<&'a ConnectionId>,
}

impl Caller<'static> {
    /// A caller of whom nothing is known.
    pub const NOBODY: Self = Self {
        address: ClientAddress::UNKNOWN,
        person: None,
        connection: None,
    };
}

impl<'a> Caller<'a> {
    /// The caller's role on this server.
    pub fn role(&self) -> Option<Role> {
        self.person.map(|_| Role::Guest)
    }

    /// The signed-in person, or a refusal.
    pub(crate) fn signed_in(&self) -> Result<&'a Person, Refusal> {
        self.person.ok_or_else(|| Denied::NotSignedIn.into())
    }
}

/// A client's address as every limit per address counts it: see [`network`]. It does not contain the full address, so
/// no limit can count that instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddress(IpAddr);

impl ClientAddress {
    /// An unknown address. All clients without a known address count together.
    pub const UNKNOWN: Self = Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED));

    /// What an address counts as.
    pub fn of(address: IpAddr) -> Self {
        Self(network(address))
    }

    /// The address or network that is counted.
    pub fn counted(self) -> IpAddr {
        self.0
    }
}

/// What counts as one address. An IPv6 address counts as its /64 network, because a client can use all of that.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let first = u128::from(address) & (u128::MAX << 64);
            IpAddr::V6(first.into())
        }
        address => address,
    }
}
