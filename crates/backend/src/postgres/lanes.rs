//! The connections for everything but appends. Each takes any number of statements at a time.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chat::StoreError;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_postgres::Row;

use super::connection::{Connection, Values};
use super::error::Fault;
use super::lead::{Lead, Primary};
use super::servers::Servers;

/// Connections for reading.
const READING: usize = 4;
/// Connections for writing. A commit waits for as long as its standby is away, and so does whatever was sent after it on
/// the same connection. So nothing is read there.
const WRITING: usize = 2;
/// After this time without an answer, another primary is looked for. Callers may not wait for the whole deadline.
const SILENCE: Duration = Duration::from_secs(1);
/// How long a caller waits for an answer.
pub const DEADLINE: Duration = Duration::from_secs(5);

/// The connections. They follow the writer: after a failover, none stays with the old primary.
pub struct Lanes {
    servers: Arc<Servers>,
    lead: Arc<Lead>,
    reading: [Lane; READING],
    writing: [Lane; WRITING],
}

#[derive(Default)]
struct Lane {
    connection: Mutex<Option<(Primary, Arc<Connection>)>>,
    /// Statements without an answer.
    busy: AtomicUsize,
}

/// Counts a statement while it lives.
struct Busy<'a>(&'a AtomicUsize);

impl<'a> Busy<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Lanes {
    /// Connections that open when they are needed.
    pub fn new(servers: Arc<Servers>, lead: Arc<Lead>) -> Self {
        Self {
            servers,
            lead,
            reading: Default::default(),
            writing: Default::default(),
        }
    }

    /// Reads. Tries again on a new connection if the old one turns out to be lost.
    pub async fn read(&self, sql: &'static str, values: Values<'_>) -> Result<Vec<Row>, StoreError> {
        let reading = async {
            let lane = least_busy(&self.reading);
            let _busy = Busy::new(&lane.busy);
            match self.connection(lane).await?.query(sql, values).await {
                Err(Fault::Lost(_)) => Ok(self.connection(lane).await?.query(sql, values).await?),
                result => Ok(result?),
            }
        };
        self.in_time(reading).await
    }

    /// Writes, in a transaction of its own. Returns the rows of the statement. They are durable then.
    pub async fn write(&self, sql: &'static str, values: Values<'_>) -> Result<Vec<Row>, StoreError> {
        let writing = async {
            let lane = least_busy(&self.writing);
            let _busy = Busy::new(&lane.busy);
            Ok(self.connection(lane).await?.query(sql, values).await?)
        };
        self.in_time(writing).await
    }

    async fn in_time<T>(&self, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let mut work = pin!(work);
        if let Ok(result) = timeout(SILENCE, &mut work).await {
            return result;
        }
        self.lead.suspect();
        timeout(DEADLINE - SILENCE, work)
            .await
            .unwrap_or_else(|_| Err(Fault::Late.into()))
    }

    /// The lane's connection to the primary; opens it if there is none.
    async fn connection(&self, lane: &Lane) -> Result<Arc<Connection>, StoreError> {
        let primary = self.lead.primary().await?;
        let mut open = lane.connection.lock().await;
        if let Some((to, connection)) = &*open
            && *to == primary
            && !connection.is_closed()
        {
            return Ok(Arc::clone(connection));
        }
        *open = None;
        match self.servers.connect(primary.host).await {
            Ok(connection) => {
                let connection = Arc::new(connection);
                *open = Some((primary, Arc::clone(&connection)));
                Ok(connection)
            }
            Err(fault) => {
                self.lead.suspect();
                Err(fault.into())
            }
        }
    }

    /// Closes all connections.
    pub async fn close(&self) {
        for lane in self.reading.iter().chain(&self.writing) {
            lane.connection.lock().await.take();
        }
    }
}

fn least_busy<const N: usize>(lanes: &[Lane; N]) -> &Lane {
    let busy = |lane: &&Lane| lane.busy.load(Ordering::Relaxed);
    lanes.iter().min_by_key(busy).unwrap_or(&lanes[0])
}
