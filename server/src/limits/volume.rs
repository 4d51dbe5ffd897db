//! Limits the bytes that one address stores, and reads from logs. The rate of commands counts each command as one,
//! whatever its size; these limits count the bytes.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::rate::{Bucket, Rate};
use crate::proxies::ClientAddress;

/// One rate, applied to each address.
pub struct Volume {
    rate: Rate,
    used: Mutex<HashMap<ClientAddress, Bucket>>,
}

impl Volume {
    /// Limits each address to this rate, in bytes.
    pub fn new(rate: Rate) -> Self {
        Self {
            rate,
            used: Mutex::default(),
        }
    }

    /// Counts bytes, or says how long the address must wait for its debt. Without debt, any number of bytes is
    /// accepted.
    pub fn take(&self, address: ClientAddress, bytes: usize, now: Instant) -> Result<(), Duration> {
        let mut used = self.used();
        let bucket = used.entry(address).or_insert_with(|| Bucket::new(self.rate, now));
        let owed = bucket.spend(0, self.rate, now);
        if !owed.is_zero() {
            return Err(owed);
        }
        bucket.spend(u32::try_from(bytes).unwrap_or(u32::MAX), self.rate, now);
        Ok(())
    }

    /// Counts bytes that were already read, even if the address is in debt. Otherwise all but the first of several
    /// concurrent reads would be free.
    pub fn add(&self, address: ClientAddress, bytes: usize, now: Instant) {
        let mut used = self.used();
        let bucket = used.entry(address).or_insert_with(|| Bucket::new(self.rate, now));
        bucket.spend(u32::try_from(bytes).unwrap_or(u32::MAX), self.rate, now);
    }

    /// Removes idle addresses.
    pub fn forget_idle(&self, now: Instant) {
        let mut used = self.used();
        used.retain(|_, bucket| !bucket.is_full(self.rate, now));
        used.shrink_to_fit();
    }

    fn used(&self) -> MutexGuard<'_, HashMap<ClientAddress, Bucket>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_counted_for_each_address() {
        let rate = Rate {
            per_second: 1_000,
            burst: 10_000,
        };
        let [home, other] = [1, 2].map(|last| ClientAddress::of([127, 0, 0, last].into()));
        let (volume, now) = (Volume::new(rate), Instant::now());
        assert_eq!(volume.take(home, 12_000, now), Ok(()), "nothing was owed");
        assert_eq!(volume.take(home, 1, now), Err(Duration::from_secs(2)));
        assert_eq!(volume.take(other, 1, now), Ok(()));
        let later = now + Duration::from_secs(2);
        assert_eq!(volume.take(home, 1, later), Ok(()), "paid");
        volume.add(other, 11_999, now);
        volume.add(other, 1_000, now);
        let owed = Duration::from_secs(3);
        assert_eq!(
            volume.take(other, 0, now),
            Err(owed),
            "concurrent reads all count"
        );
        volume.forget_idle(now + Duration::from_secs(60));
        assert!(volume.used().is_empty());
    }
}
