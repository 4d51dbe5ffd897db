//! Converts numbers for databases, whose integers are signed.

use chat::StoreError;
use protocol::{Seq, Timestamp};

/// A number to store. Seqs and times are far too small to overflow.
pub fn signed(value: u64) -> Result<i64, StoreError> {
    i64::try_from(value).map_err(StoreError::failed)
}

/// A stored number.
pub fn unsigned(value: i64) -> Result<u64, StoreError> {
    u64::try_from(value).map_err(StoreError::failed)
}

/// A stored `seq`.
pub fn seq(value: i64) -> Result<Seq, StoreError> {
    Seq::try_from(unsigned(value)?).map_err(StoreError::failed)
}

/// A stored time in milliseconds.
pub fn time(value: i64) -> Result<Timestamp, StoreError> {
    Ok(Timestamp(unsigned(value)?))
}
