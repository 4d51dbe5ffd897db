//! The truth in one SQLite database: one thread that writes, a few connections that read.
//!
//! A write is a job in the [`writer`]'s bounded queue. It is answered after its commit has reached the disk. A read
//! borrows a connection of the [`readers`] and sees one snapshot. The [`Bus`] hears of commits in their order.
//! [`folder`] is the data folder and its lock, [`schema`] the tables and their versions.

mod accounts;
mod backup;
mod check;
mod directory;
mod error;
mod folder;
mod log;
mod readers;
mod row;
mod schema;
mod source;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::bus::Bus;
use crate::ids::RandomIds;
use crate::vitals::Vitals;
pub use backup::{BackupError, backup};
pub use error::OpenError;
use readers::Readers;
pub use source::{ReadError, Source};
use writer::Writer;

/// A chat in one data folder. Implements [`chat::ports::RoomLog`], [`chat::ports::Directory`] and
/// [`chat::ports::Accounts`]. Clones share it.
///
/// Its methods need a tokio runtime. Dropping the last clone closes it, like [`Sqlite::close`].
#[derive(Clone)]
pub struct Sqlite {
    inner: Arc<Inner>,
}

struct Inner {
    vitals: Vitals,
    writer: Writer,
    readers: Readers,
    bus: Arc<dyn Bus>,
    ids: RandomIds,
    lock: Mutex<Option<folder::Lock>>,
}

impl Sqlite {
    /// Opens the data folder, creates it if it is missing, and migrates its database. Tells `bus` what is committed.
    /// Blocks.
    ///
    /// # Errors
    /// One line that names the path, and the remedy or the cause: see [`OpenError`].
    pub fn open(data_dir: &Path, bus: Arc<dyn Bus>) -> Result<Self, OpenError> {
        folder::create(data_dir)?;
        let lock = folder::lock(data_dir)?;
        let database = folder::database(data_dir)?;
        folder::warn_if_exposed(data_dir);
        let connection = schema::open(&database)?;
        let failed = |cause| OpenError::Database {
            path: database.clone(),
            cause,
        };
        let readers = Readers::open(&database).map_err(failed)?;
        let vitals = Vitals::default();
        let writer = Writer::start(connection, &vitals).map_err(|cause| OpenError::Thread { cause })?;
        Ok(Self {
            inner: Arc::new(Inner {
                vitals,
                writer,
                readers,
                bus,
                ids: RandomIds,
                lock: Mutex::new(Some(lock)),
            }),
        })
    }

    /// The state of the thread that writes.
    pub fn vitals(&self) -> &Vitals {
        &self.inner.vitals
    }

    /// Kills the thread that writes, for tests.
    #[doc(hidden)]
    pub fn kill_writer(&self) {
        self.inner.writer.kill();
    }

    /// Finishes the jobs in the queue and unlocks the data folder. Later calls fail. Closing again does nothing.
    pub async fn close(&self) {
        let inner = Arc::clone(&self.inner);
        // This waits for the disk, so it must not block a thread of the runtime.
        if tokio::task::spawn_blocking(move || inner.close()).await.is_err() {
            tracing::error!("closing the database failed");
        }
    }
}

impl Inner {
    fn close(&self) {
        // The writer's connection closes last, because only it can checkpoint the write-ahead log.
        self.readers.close();
        self.writer.close();
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}
