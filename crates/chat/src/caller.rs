//! Who asks.

use std::net::{IpAddr, Ipv4Addr};

use protocol::policy::{Denied, Role};
use protocol::{Person, Refusal};

use crate::room::ConnectionId;

/// Whoever asks something of the [`Hub`](crate::Hub), as far as they are known.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// Where they are.
    pub address: ClientAddress,
    /// Who they are, if they are signed in.
    pub person: Option<&'a Person>,
    /// The connection that they ask through, if it lasts.
    pub connection: Option<&'a ConnectionId>,
}

impl Caller<'static> {
    /// Somebody of whom nothing is known.
    pub const NOBODY: Self = Self {
        address: ClientAddress::UNKNOWN,
        person: None,
        connection: None,
    };
}

impl<'a> Caller<'a> {
    /// What they are on this server.
    pub fn role(&self) -> Option<Role> {
        self.person.map(|_| Role::Guest)
    }

    /// Who they are.
    pub(crate) fn you(&self) -> Result<&'a Person, Refusal> {
        self.person.ok_or_else(|| Denied::NotSignedIn.into())
    }
}

/// Where a request comes from, as every limit per address counts it: see [`network`].
///
/// There is no way back to the full address, so that no limit can count that instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddress(IpAddr);

impl ClientAddress {
    /// Somewhere unknown. All requests from there count together.
    pub const UNKNOWN: Self = Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED));

    /// What this address counts as.
    pub fn of(address: IpAddr) -> Self {
        Self(network(address))
    }

    /// The address or network that is counted.
    pub fn counted(self) -> IpAddr {
        self.0
    }
}

/// What counts as one address: whoever has an IPv6 address has 2^64 of them, all with the same first 64 bits.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let first = u128::from(address) & (u128::MAX << 64);
            IpAddr::V6(first.into())
        }
        address => address,
    }
}
