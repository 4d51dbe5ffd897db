//! The truth in one PostgreSQL database, which any number of replicas share.
//!
//! The [`writer`] commits what waits together ([`append`]), on one connection, which also has the [`hold`] on the
//! database. Everything else uses the [`lanes`]. The writer finds the primary among the [`servers`] of the [`url`] and
//! says which it is ([`lead`]), so that all connections follow a failover. The [`Bus`] hears of commits in their order.
//! [`schema`] is the tables and their versions. [`target`] fills an empty database with what another truth kept.

mod accounts;
mod append;
mod batch;
mod check;
mod connection;
mod directory;
mod error;
mod fold;
mod hold;
mod lanes;
mod lead;
mod log;
mod mark;
mod places;
mod plain;
mod row;
mod schema;
mod servers;
mod space;
mod target;
mod tls;
mod url;
mod writer;

use std::sync::Arc;

use chat::StoreError;
use tokio::time::timeout;

use crate::bus::Bus;
use crate::ids::RandomIds;
use crate::vitals::Vitals;
use error::Fault;
pub use error::OpenPostgresError;
pub use hold::Sharing;
use lanes::{DEADLINE, Lanes};
use lead::Lead;
use servers::Servers;
use space::Space;
pub use target::{Target, TargetError};
use writer::{Work, Writer};

const KEEP_SECRET: &str = "INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
const SECRET: &str = "SELECT value FROM secrets WHERE name = $1";

/// A chat in one PostgreSQL database. Implements [`chat::ports::RoomLog`], [`chat::ports::Directory`] and
/// [`chat::ports::Accounts`]. Clones share it.
#[derive(Clone)]
pub struct Postgres {
    inner: Arc<Inner>,
}

struct Inner {
    vitals: Vitals,
    lead: Arc<Lead>,
    space: Arc<Space>,
    writer: Writer,
    lanes: Lanes,
    bus: Arc<dyn Bus>,
    ids: RandomIds,
}

impl Postgres {
    /// Connects to `postgres://user:password@host:port,host:port/database`, checks that Hubbub can use the database, and
    /// migrates it. Tells `bus` what is committed.
    ///
    /// # Errors
    /// One line that names the server, and the remedy or the cause: see [`OpenPostgresError`].
    pub async fn open(url: &str, bus: Arc<dyn Bus>, sharing: Sharing) -> Result<Self, OpenPostgresError> {
        let servers = Arc::new(Servers::new(url::Target::parse(url)?)?);
        let found = servers.find().await;
        let found = found.map_err(|none| OpenPostgresError::of(servers.name(none.host), &none.fault))?;
        let server = servers.name(found.host).to_owned();
        let failed = |fault: Fault| OpenPostgresError::of(&server, &fault);
        // Before the migration, so that a database in use is not migrated beneath another process that runs alone.
        let held = hold::take_at_start(&found.connection, sharing).await;
        let Some(backend) = held.map_err(failed)? else {
            return Err(OpenPostgresError::InUse { server });
        };
        schema::prepare(&found.connection, &server).await?;
        if mark::find(&found.connection).await.map_err(failed)?.is_some() {
            return Err(OpenPostgresError::IncompleteCopy { server });
        }
        let (vitals, lead) = (Vitals::default(), Arc::new(Lead::default()));
        let space = Arc::new(Space::default());
        let work = Work {
            servers: Arc::clone(&servers),
            lead: Arc::clone(&lead),
            space: Arc::clone(&space),
            sharing,
            bus: Arc::clone(&bus),
            vitals: vitals.clone(),
        };
        Ok(Self {
            inner: Arc::new(Inner {
                vitals,
                writer: Writer::start(work, found, backend),
                lanes: Lanes::new(servers, Arc::clone(&lead)),
                lead,
                space,
                bus,
                ids: RandomIds,
            }),
        })
    }

    /// The state of the task that writes, and of the hold on the database.
    pub fn vitals(&self) -> &Vitals {
        &self.inner.vitals
    }

    /// A secret that all replicas share: `fresh`, or the one that another replica stored first.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub async fn shared_secret(&self, name: &str, fresh: &[u8]) -> Result<Vec<u8>, StoreError> {
        let lanes = &self.inner.lanes;
        lanes.write(KEEP_SECRET, &[&name, &fresh]).await?;
        let rows = lanes.read(SECRET, &[&name]).await?;
        rows.first().map_or(Ok(fresh.to_vec()), |row| row::value(row, 0))
    }

    /// Finishes the appends in the queue and disconnects. Later calls fail. Closing again does nothing.
    pub async fn close(&self) {
        self.inner.writer.close().await;
        self.inner.lead.close();
        // A statement that waits for a silent server must not delay the end.
        if timeout(DEADLINE, self.inner.lanes.close()).await.is_err() {
            tracing::warn!("connections to PostgreSQL did not close in time");
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.lead.close();
        self.writer.stop();
    }
}
