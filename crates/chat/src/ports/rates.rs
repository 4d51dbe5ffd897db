//! How much an address may do.

use std::time::Duration;

use crate::caller::ClientAddress;

/// Something that is limited per address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cost {
    /// Creating a person with a session.
    Person,
    /// Creating a guest, who is not stored but announced to everybody.
    Guest,
    /// Creating a room.
    Room,
    /// Storing this many bytes of messages.
    Stored(usize),
    /// Having read this many bytes of a log; they count even if refused. 0: about to read.
    Read(usize),
}

/// The recent costs of each address.
pub trait Rates: Send + Sync {
    /// Charges a cost to an address.
    ///
    /// # Errors
    /// It is too much now, and is not charged: how long to wait.
    fn take(&self, address: ClientAddress, cost: Cost) -> Result<(), Duration>;
}

/// Allows everything.
pub struct Unlimited;

impl Rates for Unlimited {
    fn take(&self, _: ClientAddress, _: Cost) -> Result<(), Duration> {
        Ok(())
    }
}
