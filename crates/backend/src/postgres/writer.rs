//! The one task that appends. It takes what waits in a bounded queue and commits it together.
//!
//! The next batch gathers in the queue while a commit waits for the server's disk. If the connection is lost, the task
//! finds the primary again and repeats the batch: a `client_id` is stored once, so what the first attempt stored is
//! found again, and followers are told of it. So an outage of a second is a pause, and no event goes untold.
//!
//! A server that is silent keeps its batch: it may carry it out when it goes on. Only another server that has taken over
//! ends the wait.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chat::StoreError;
use protocol::Receipt;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{self, Receiver, Sender, error::TrySendError};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::append::{Answer, Append};
use super::batch::{Batch, Stored};
use super::connection::Connection;
use super::error::{Closed, Fault};
use super::hold::{self, Hold, Sharing};
use super::lanes::DEADLINE;
use super::lead::Lead;
use super::servers::{Found, NotFound, Servers};
use super::space::Space;
use crate::bus::Bus;
use crate::vitals::Vitals;

/// The task's name.
const NAME: &str = "writer";
/// The name of what is lost when another process takes the database.
const HOLD: &str = "hold on the database";

/// The most appends that can wait, and their bytes. Beyond that, callers get [`StoreError::Busy`] at once.
const QUEUE: (usize, usize) = (4_096, 64 << 20);
/// The most appends in one commit, and the most bytes.
const GROUP: (usize, usize) = (512, 1 << 20);
/// After this time without an answer, another primary is looked for.
const SILENCE: Duration = Duration::from_secs(2);
/// The shortest and the longest wait before connecting again.
const RETRY: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));
/// How many backends of earlier connections are remembered.
const GHOSTS: usize = 16;

/// The queue's sending end and the task.
pub struct Writer {
    lead: Arc<Lead>,
    queue: Mutex<Option<Sender<Append>>>,
    /// The bytes that may still wait.
    bytes: Arc<Semaphore>,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// What the task works with.
pub struct Work {
    /// The servers.
    pub servers: Arc<Servers>,
    /// Where everything else learns of the primary.
    pub lead: Arc<Lead>,
    /// Where readiness learns of a full disk.
    pub space: Arc<Space>,
    /// Whether other processes use the database too.
    pub sharing: Sharing,
    /// Told of every commit.
    pub bus: Arc<dyn Bus>,
    /// Told if another process takes the database.
    pub vitals: Vitals,
}

/// The connection that writes.
struct Line {
    host: usize,
    connection: Connection,
}

impl Writer {
    /// Starts the task with a connection that has the hold, through this backend.
    pub fn start(work: Work, found: Found, backend: i32) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE.0);
        let (lead, vitals) = (Arc::clone(&work.lead), work.vitals.clone());
        let mut task = Task {
            work,
            line: None,
            backends: VecDeque::new(),
            life: 0,
        };
        task.use_line(found, backend);
        let task = tokio::spawn(vitals.vital(NAME, task.run(waiting)));
        Self {
            lead,
            queue: Mutex::new(Some(queue)),
            bytes: Arc::new(Semaphore::new(QUEUE.1)),
            task: Mutex::new(Some(task)),
        }
    }

    /// Puts an append into the queue and waits for its answer.
    pub async fn append(&self, mut append: Append, answer: Answer) -> Result<Vec<Receipt>, StoreError> {
        self.lead.hope()?;
        if !append.take_share(&self.bytes) {
            return Err(StoreError::Busy);
        }
        {
            let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            let queue = queue.as_ref().ok_or_else(|| StoreError::failed(Closed))?;
            queue.try_send(append).map_err(|error| match error {
                TrySendError::Full(_) => StoreError::Busy,
                TrySendError::Closed(_) => StoreError::failed(Closed),
            })?;
        }
        match timeout(DEADLINE, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(StoreError::failed(Closed)),
            Err(_) => Err(Fault::Late.into()),
        }
    }

    /// Refuses new appends and waits, not for long, until those in the queue are done.
    pub async fn close(&self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut task) = task
            && timeout(SILENCE, &mut task).await.is_err()
        {
            tracing::warn!("PostgreSQL did not answer in time; what was acknowledged is safe");
            task.abort();
        }
    }

    /// Ends the task at once.
    pub fn stop(&self) {
        if let Some(task) = self.task.lock().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
    }
}

struct Task {
    work: Work,
    line: Option<Line>,
    /// Backends of this process' connections, the latest last.
    backends: VecDeque<i32>,
    /// Counts the connections.
    life: u64,
}

impl Task {
    async fn run(mut self, mut queue: Receiver<Append>) {
        let mut waiting = Vec::with_capacity(GROUP.0);
        loop {
            self.connect().await;
            let Some(line) = &self.line else { continue };
            let count = tokio::select! {
                biased;
                count = queue.recv_many(&mut waiting, GROUP.0) => count,
                () = line.connection.closed() => continue,
                () = self.work.lead.suspected() => {
                    self.look_around().await;
                    continue;
                }
            };
            if count == 0 {
                return;
            }
            // Their callers have been told that the outcome is unknown, and will ask again.
            waiting.retain(|append: &Append| !append.is_abandoned());
            for batch in Batch::of(waiting.drain(..), GROUP.1) {
                self.store(batch).await;
            }
        }
    }

    /// Stores a batch and answers. What PostgreSQL refuses is tried in smaller parts, so that it spoils nothing else.
    async fn store(&mut self, batch: Batch) {
        let begun = Instant::now();
        let mut doubtful = false;
        let mut parts = VecDeque::from([batch]);
        while let Some(batch) = parts.pop_front() {
            let stored = loop {
                match self.attempt(&batch).await {
                    // The lock may be that of an attempt without an answer.
                    Err(fault) if fault.is_locked() && doubtful && begun.elapsed() < DEADLINE => {}
                    Err(Fault::Lost(_) | Fault::Late) => doubtful = true,
                    answer => break answer,
                }
            };
            // A replica that was killed may have stored a message without telling anybody. Its sender tries another one.
            let before = doubtful || self.work.sharing == Sharing::Replicas;
            self.work.space.tried(stored.as_ref().err());
            match stored {
                Ok(stored) => batch.settle(stored, before, &*self.work.bus),
                Err(fault) => parts.extend(batch.split(&fault)),
            }
        }
    }

    /// Sends a batch to the primary and waits for the answer for as long as there is no other primary.
    async fn attempt(&mut self, batch: &Batch) -> Result<Stored, Fault> {
        self.connect().await;
        let Some(line) = self.line.take() else {
            return Err(Fault::lost("no connection"));
        };
        let storing = async {
            let mut storing = pin!(batch.store(&line.connection));
            loop {
                tokio::select! {
                    result = &mut storing => return Ok(result),
                    () = sleep(SILENCE) => {}
                }
                if let Ok(found) = self.work.servers.find().await
                    && found.host != line.host
                {
                    return Err(found);
                }
            }
        };
        match storing.await {
            Ok(Err(fault @ (Fault::Lost(_) | Fault::Late))) => {
                self.lost(&fault);
                Err(fault)
            }
            Ok(result) => {
                self.line = Some(line);
                result
            }
            Err(other) => {
                drop(line);
                self.move_to(other).await;
                Err(Fault::Late)
            }
        }
    }

    /// Asks whether another server has become the primary, and moves there.
    async fn look_around(&mut self) {
        // There is none, and those who wait to write would wait longer.
        if self.work.servers.is_one() {
            return;
        }
        let Ok(found) = self.work.servers.find().await else {
            return;
        };
        if self.line.as_ref().is_none_or(|line| line.host != found.host) {
            self.line = None;
            self.move_to(found).await;
        }
    }

    async fn move_to(&mut self, found: Found) {
        let server = self.work.servers.name(found.host);
        tracing::warn!(server, "another PostgreSQL server has become the primary");
        self.work.lead.lost(None);
        if let Err(fault) = self.take_hold(found).await {
            tracing::debug!(error = %fault, "the new primary could not be used");
        }
    }

    fn lost(&mut self, fault: &Fault) {
        tracing::warn!(error = %fault, "the connection to PostgreSQL is lost");
        self.line = None;
        self.work.lead.lost(Some(fault.clone()));
    }

    /// Connects, if there is no connection, until there is one.
    async fn connect(&mut self) {
        if self.line.as_ref().is_some_and(|line| line.connection.is_closed()) {
            self.lost(&Fault::lost("the server closed it"));
        }
        let (begun, mut wait) = (Instant::now(), RETRY.0);
        while self.line.is_none() {
            let failed = match self.work.servers.find().await {
                Ok(found) => self.take_hold(found).await.err(),
                Err(NotFound { fault, .. }) => Some(fault),
            };
            match failed {
                None => tracing::info!(after = ?begun.elapsed(), "PostgreSQL is back"),
                Some(fault) => {
                    tracing::debug!(error = %fault, "PostgreSQL cannot be reached");
                    self.work.lead.lost(Some(fault));
                    sleep(wait).await;
                    wait = (wait * 2).min(RETRY.1);
                }
            }
        }
    }

    /// Uses a connection if the hold can be taken. If another process has it, this one must not write any more.
    async fn take_hold(&mut self, found: Found) -> Result<(), Fault> {
        let earlier: Vec<_> = self.backends.iter().copied().collect();
        let taking = hold::take(&found.connection, self.work.sharing, &earlier);
        match timeout(DEADLINE, taking).await.unwrap_or(Err(Fault::Late))? {
            Hold::Taken(backend) => {
                self.use_line(found, backend);
                Ok(())
            }
            Hold::Ghost => Err(Fault::lost(
                "PostgreSQL has not noticed yet that the old connection ended",
            )),
            Hold::Refused => {
                tracing::error!(
                    server = self.work.servers.name(found.host),
                    "another hubbub has taken the database while PostgreSQL was away; set HUBBUB_REDIS_URL for both"
                );
                self.work.lead.close();
                self.work.vitals.died(HOLD);
                std::future::pending().await
            }
        }
    }

    fn use_line(&mut self, found: Found, backend: i32) {
        let Found { host, connection, .. } = found;
        self.life += 1;
        self.backends.push_back(backend);
        if self.backends.len() > GHOSTS {
            self.backends.pop_front();
        }
        self.line = Some(Line { host, connection });
        self.work.lead.found(host, self.life);
    }
}
