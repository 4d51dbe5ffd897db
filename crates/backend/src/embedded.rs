//! The embedded backend: one SQLite database, one thread that writes, a few connections that read.
//!
//! A write is a job in the [`writer`]'s bounded queue; it is answered after the commit that holds it reached the
//! disk. A read takes a connection of the [`readers`] and sees one snapshot. Followers of [`log`] and [`presence`]
//! are told through [`crate::channels`], in the order of the commits. [`folder`] is the data folder and its lock,
//! [`schema`] the tables and their versions.

mod accounts;
mod check;
mod directory;
mod error;
mod folder;
mod here;
mod log;
mod presence;
mod readers;
mod row;
mod schema;
mod writer;

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use chat::ports::PresenceChange;
use protocol::RoomEvent;

use crate::channels::Channels;
use crate::ends::Ends;
use crate::ids::RandomIds;
use crate::vitals::Vitals;
pub use error::OpenError;
use here::Here;
use readers::Readers;
use writer::Writer;

/// Events that a follower of a log may lie behind before it is told of a gap: twice what one append may bring.
const LOG_CHANNEL: usize = 2_048;
/// Changes that a follower of a room's presence may lie behind before it is told to read the roster again.
const PRESENCE_CHANNEL: usize = 256;

/// Everything in one data folder: implements [`chat::ports::RoomLog`], [`chat::ports::Directory`],
/// [`chat::ports::Accounts`] and [`chat::ports::Presence`]. A clone is another handle to the same.
///
/// Its methods need a tokio runtime. When the last handle goes, it closes by itself, as [`Embedded::close`] does.
#[derive(Clone)]
pub struct Embedded {
    inner: Arc<Inner>,
}

struct Inner {
    vitals: Vitals,
    writer: Writer,
    readers: Readers,
    events: Arc<Channels<Arc<RoomEvent>>>,
    here: Here,
    changes: Arc<Channels<PresenceChange>>,
    ends: Ends,
    ids: RandomIds,
    lock: Mutex<Option<File>>,
}

impl Embedded {
    /// Opens the data folder, which is created if it is missing, and brings its database up to date. Blocks.
    ///
    /// # Errors
    /// Each says in one line which path it is about, and what to do or the cause: see [`OpenError`].
    pub fn open(data_dir: &Path) -> Result<Self, OpenError> {
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
                events: Channels::new(LOG_CHANNEL),
                here: Here::default(),
                changes: Channels::new(PRESENCE_CHANNEL),
                ends: Ends::default(),
                ids: RandomIds,
                lock: Mutex::new(Some(lock)),
            }),
        })
    }

    /// The thread that nothing is stored without.
    pub fn vitals(&self) -> &Vitals {
        &self.inner.vitals
    }

    /// Kills the thread that writes, for tests of what follows.
    #[doc(hidden)]
    pub fn kill_writer(&self) {
        self.inner.writer.kill();
    }

    /// Finishes what is in the queue, tells the followers the end, and gives the data folder free. What is asked
    /// afterwards fails. Closing again does nothing.
    pub async fn close(&self) {
        let inner = Arc::clone(&self.inner);
        // Waits for the disk: not on a thread that others need.
        if tokio::task::spawn_blocking(move || inner.close()).await.is_err() {
            tracing::error!("closing the embedded backend failed");
        }
    }
}

impl Inner {
    fn close(&self) {
        // The writer's connection closes last, because only it can fold the write-ahead log into the database.
        self.readers.close();
        self.writer.close();
        self.events.close();
        self.changes.close();
        self.ends.close();
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}
