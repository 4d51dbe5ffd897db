//! A pool of read-only connections, used from tokio's threads for blocking work.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use chat::StoreError;
use rusqlite::{Connection, OpenFlags, Transaction};
use tokio::sync::Semaphore;

use super::schema;

/// The most concurrent reads. Further ones wait in their callers.
const READERS: usize = 4;

/// The pool of connections.
pub struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    /// One permit per connection; closed with the backend.
    free: Arc<Semaphore>,
}

/// The backend was closed.
#[derive(Debug, thiserror::Error)]
#[error("the storage is closed")]
struct Closed;

impl Readers {
    /// Opens all connections. The database must exist and be migrated.
    pub fn open(path: &Path) -> rusqlite::Result<Self> {
        let connections = (0..READERS)
            .map(|_| schema::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            free: Arc::new(Semaphore::new(connections.len())),
            idle: Arc::new(Mutex::new(connections)),
        })
    }

    /// Runs `work` on one snapshot of the database. It contains every write that was answered before.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = Arc::clone(&self.free).acquire_owned().await;
        let permit = permit.map_err(|_| StoreError::failed(Closed))?;
        let idle = Arc::clone(&self.idle);
        let free = Arc::clone(&self.free);
        let reading = tokio::task::spawn_blocking(move || {
            // Dropped last, after the connection is back in the pool.
            let _permit = permit;
            let connection = take(&idle).ok_or_else(|| StoreError::failed(Closed))?;
            let borrowed = Borrowed {
                connection: Some(connection),
                idle,
                free,
            };
            borrowed.snapshot(work)
        });
        reading.await.map_err(StoreError::failed)?
    }

    /// Lets running reads finish. No new ones start.
    pub fn close(&self) {
        self.free.close();
        while take(&self.idle).is_some() {}
    }
}

fn take(idle: &Mutex<Vec<Connection>>) -> Option<Connection> {
    idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
}

/// A borrowed connection. It returns to the pool even if the work panics.
struct Borrowed {
    connection: Option<Connection>,
    idle: Arc<Mutex<Vec<Connection>>>,
    free: Arc<Semaphore>,
}

impl Borrowed {
    fn snapshot<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let connection = self
            .connection
            .as_ref()
            .ok_or_else(|| StoreError::failed(Closed))?;
        let snapshot = connection.unchecked_transaction().map_err(StoreError::failed)?;
        work(&snapshot)
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.free.is_closed() {
            idle.extend(self.connection.take());
        }
    }
}
