//! The connections for everything but appends. Each takes any number of statements at a time.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use chat::StoreError;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_postgres::Row;

use super::connection::{Connection, Values};
use super::error::{Closed, Fault};
use super::lead::{Lead, Primary};
use super::places::{self, Place};
use super::servers::Servers;

/// Connections for reading, and the most statements that can be without an answer there. Others wait here: a server that
/// was silent for a minute first carries out all that was sent to it, though nobody waits for that any more.
const READING: (usize, usize) = (4, 512);
/// The same for writing. A commit waits for as long as its standby is away, and so does whatever was sent after it on
/// the same connection. So nothing is read there.
const WRITING: (usize, usize) = (4, 128);
/// After this time without an answer, another primary is looked for. Callers may not wait for the whole deadline.
const SILENCE: Duration = Duration::from_secs(1);
/// How long a caller waits for an answer.
pub const DEADLINE: Duration = Duration::from_secs(5);

/// The connections. They follow the writer: after a failover, none stays with the old primary.
pub struct Lanes {
    servers: Arc<Servers>,
    lead: Arc<Lead>,
    reading: Group,
    writing: Group,
}

/// The connections for statements of one kind.
struct Group {
    lanes: Vec<Lane>,
    places: Arc<Semaphore>,
}

#[derive(Default)]
struct Lane {
    connection: Mutex<Option<(Primary, Arc<Connection>)>>,
    /// Shared with each statement without an answer.
    busy: Arc<()>,
}

impl Group {
    fn new((lanes, places): (usize, usize)) -> Self {
        Self {
            lanes: (0..lanes).map(|_| Lane::default()).collect(),
            places: Arc::new(Semaphore::new(places)),
        }
    }

    /// A place for one more statement, on the lane that has the fewest.
    async fn place(&self) -> Result<(&Lane, Place), StoreError> {
        let permit = Arc::clone(&self.places).acquire_owned().await;
        let lane = self.lanes.iter().min_by_key(|lane| Arc::strong_count(&lane.busy));
        match (permit, lane) {
            (Ok(permit), Some(lane)) => Ok((lane, Place::new(permit, Arc::clone(&lane.busy)))),
            _ => Err(StoreError::failed(Closed)),
        }
    }

    async fn close(&self) {
        self.places.close();
        for lane in &self.lanes {
            lane.connection.lock().await.take();
        }
    }
}

impl Lanes {
    /// Connections that open when they are needed.
    pub fn new(servers: Arc<Servers>, lead: Arc<Lead>) -> Self {
        Self {
            servers,
            lead,
            reading: Group::new(READING),
            writing: Group::new(WRITING),
        }
    }

    /// Reads. Tries again on a new connection if the old one turns out to be lost.
    pub async fn read(&self, sql: &'static str, values: Values<'_>) -> Result<Vec<Row>, StoreError> {
        let until = Instant::now() + DEADLINE;
        match self.run(&self.reading, until, sql, values).await? {
            Err(Fault::Lost(_)) => Ok(self.run(&self.reading, until, sql, values).await??),
            answer => Ok(answer?),
        }
    }

    /// Writes, in a transaction of its own. Returns the rows of the statement. They are durable then.
    pub async fn write(&self, sql: &'static str, values: Values<'_>) -> Result<Vec<Row>, StoreError> {
        let until = Instant::now() + DEADLINE;
        Ok(self.run(&self.writing, until, sql, values).await??)
    }

    /// Runs a statement.
    ///
    /// # Errors
    /// [`StoreError::Busy`]: it was not sent, because too many others are without an answer.
    async fn run(
        &self,
        group: &Group,
        until: Instant,
        sql: &'static str,
        values: Values<'_>,
    ) -> Result<Result<Vec<Row>, Fault>, StoreError> {
        let busy = || StoreError::Busy;
        let (lane, place) = self.in_time(until, busy, group.place()).await?;
        let running = async {
            let connection = self.connection(lane).await?;
            Ok(places::query(connection, place, sql, values).await)
        };
        self.in_time(until, || Fault::Late.into(), running).await
    }

    async fn in_time<T>(
        &self,
        until: Instant,
        late: impl FnOnce() -> StoreError,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let mut work = pin!(work);
        if let Ok(result) = timeout(SILENCE, &mut work).await {
            return result;
        }
        self.lead.suspect();
        timeout_at(until, work).await.unwrap_or_else(|_| Err(late()))
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
                // Whoever waits for a server that is silent goes on at once, and statements give their places back.
                let lead = Arc::clone(&self.lead);
                connection.end_after(async move { lead.replaced(primary).await });
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
        self.reading.close().await;
        self.writing.close().await;
    }
}
