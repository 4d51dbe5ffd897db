//! How much one address may do.

use std::time::Duration;

use crate::caller::ClientAddress;

/// Something that an address may do only so often, or only so much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cost {
    /// A person with a session, who stays.
    Person,
    /// Somebody without a session, who leaves nothing behind but is announced to everybody.
    Guest,
    /// A room.
    Room,
    /// So many bytes of messages are stored.
    Stored(usize),
    /// So many bytes of a log were read, which counts in any case. None: something is about to be read.
    Read(usize),
}

/// What each address has done lately.
pub trait Rates: Send + Sync {
    /// Counts it.
    ///
    /// # Errors
    /// It is too much now, and is not counted: how long to wait.
    fn take(&self, address: ClientAddress, cost: Cost) -> Result<(), Duration>;
}

/// Everybody may do everything.
pub struct Unlimited;

impl Rates for Unlimited {
    fn take(&self, _: ClientAddress, _: Cost) -> Result<(), Duration> {
        Ok(())
    }
}
