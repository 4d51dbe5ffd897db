//! Whether the server has space for what people write.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chat::StoreError;
use tokio::time::Instant;

use super::error::Fault;

/// A refusal counts for this long. After that, people may try again.
const FULL: Duration = Duration::from_secs(30);

/// What became of the latest attempt to store something.
#[derive(Default)]
pub struct Space(Mutex<Option<(Instant, Fault)>>);

impl Space {
    /// The server stored something, or refused to.
    pub fn tried(&self, refused: Option<&Fault>) {
        let full = refused.filter(|fault| fault.is_full());
        *self.full() = full.map(|fault| (Instant::now(), fault.clone()));
    }

    /// Fails if the disk was full lately. A server can still raise a counter then, because its place exists.
    ///
    /// # Errors
    /// What the server said.
    pub fn check(&self) -> Result<(), StoreError> {
        match &*self.full() {
            Some((since, fault)) if since.elapsed() < FULL => Err(fault.clone().into()),
            _ => Ok(()),
        }
    }

    fn full(&self) -> MutexGuard<'_, Option<(Instant, Fault)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
