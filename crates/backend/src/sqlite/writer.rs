//! The one thread that writes. It takes jobs from a bounded queue and commits them in groups.
//!
//! A transaction of hundreds of jobs takes the disk about as long as a small one, so the next group gathers in the
//! queue while a commit waits for the disk. Each job runs in its own savepoint: one that fails undoes only itself. No
//! job is answered before the commit.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use chat::StoreError;
use rusqlite::Connection;
use tokio::sync::mpsc::{self, Receiver, Sender, error::TrySendError};
use tokio::sync::oneshot;

use crate::vitals::Vitals;

/// The thread's name.
const NAME: &str = "writer";

/// The most jobs that can wait. Beyond that, callers get [`StoreError::Busy`] at once.
const QUEUE: usize = 4_096;

/// The most jobs in one commit. A commit writes each page of the database once, however many jobs change it, so twice
/// the jobs write far less than twice the bytes.
const GROUP: usize = 4_096;

/// After this time a group is committed, and its remaining jobs go into the next commit, so that the first jobs do not
/// wait for the whole group.
const LONGEST: Duration = Duration::from_millis(20);

/// Runs inside the transaction.
type Job = Box<dyn FnOnce(&Connection) -> Outcome + Send>;

/// Answers a job's caller once the transaction is over.
type Answer = Box<dyn FnOnce(Result<(), Uncommitted>) + Send>;

/// The job's commit failed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the storage could not commit")]
struct Uncommitted;

/// The writer ended, or the job panicked, before there was an answer.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the storage closed or failed before it could answer")]
struct Unanswered;

struct Outcome {
    /// False if the job's writes must be undone.
    keep: bool,
    answer: Answer,
}

/// The queue's sending end and the thread.
pub struct Writer {
    jobs: Mutex<Option<Sender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Writer {
    /// Starts the thread, which takes over the connection.
    pub fn start(connection: Connection, vitals: &Vitals) -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let thread = vitals.thread(NAME, move || write(&connection, queue))?;
        Ok(Self {
            jobs: Mutex::new(Some(jobs)),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Runs `work` in the next transaction. `then` gets the result once it is durable, before the caller does, in the
    /// order of the jobs. Once queued, the work is done even if the caller stops waiting.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
        then: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let result = work(connection);
            Outcome {
                keep: result.is_ok(),
                answer: Box::new(move |committed| {
                    // A job's error counts only with its commit, because it may depend on an earlier job of the group.
                    let result = committed.map_err(StoreError::failed).and(result);
                    if let Ok(value) = &result {
                        then(value);
                    }
                    // The caller may have stopped waiting.
                    let _ = reply.send(result);
                }),
            }
        });
        match lock(&self.jobs).as_ref().map(|jobs| jobs.try_send(job)) {
            Some(Ok(())) => {}
            Some(Err(TrySendError::Full(_))) => return Err(StoreError::Busy),
            Some(Err(TrySendError::Closed(_))) | None => return Err(StoreError::failed(Unanswered)),
        }
        answer
            .await
            .unwrap_or_else(|_| Err(StoreError::failed(Unanswered)))
    }

    /// Refuses new jobs and waits until those in the queue are done.
    pub fn close(&self) {
        lock(&self.jobs).take();
        if let Some(thread) = lock(&self.thread).take() {
            // A panic has been reported already.
            let _ = thread.join();
        }
    }

    /// Ends the thread with a panic, for tests.
    pub fn kill(&self) {
        let job: Job = Box::new(|_| resume_unwind(Box::new(Deadly)));
        if let Some(jobs) = lock(&self.jobs).as_ref() {
            // If the queue is full, the thread lives on and the test must call again.
            let _ = jobs.try_send(job);
        }
    }
}

fn write(connection: &Connection, mut queue: Receiver<Job>) {
    let mut group = Vec::with_capacity(GROUP);
    while queue.blocking_recv_many(&mut group, GROUP) > 0 {
        let mut jobs = group.drain(..).peekable();
        while jobs.peek().is_some() {
            let mut answers = Vec::with_capacity(jobs.len());
            let committed = commit(connection, &mut jobs, &mut answers).map_err(|error| {
                tracing::error!(%error, jobs = answers.len(), "the storage could not commit");
                abandon(connection);
                // Dropping the jobs that did not run answers them.
                jobs.by_ref().for_each(|job| {
                    guarded(|| drop(job));
                });
                Uncommitted
            });
            for answer in answers {
                let committed = committed.clone();
                guarded(|| answer(committed));
            }
        }
    }
}

/// Runs jobs in one transaction, for at most [`LONGEST`].
fn commit(
    connection: &Connection,
    jobs: &mut impl Iterator<Item = Job>,
    answers: &mut Vec<Answer>,
) -> rusqlite::Result<()> {
    let run = |sql| connection.prepare_cached(sql)?.execute([]);
    run("BEGIN IMMEDIATE")?;
    let began = Instant::now();
    for job in jobs {
        run("SAVEPOINT job")?;
        let outcome = guarded(|| job(connection));
        let keep = outcome.as_ref().is_some_and(|outcome| outcome.keep);
        answers.extend(outcome.map(|outcome| outcome.answer));
        // After some failures, such as a full disk, SQLite rolls back the whole transaction. Then the savepoint is
        // gone, both statements fail, and so does the group.
        if !keep {
            run("ROLLBACK TO job")?;
        }
        run("RELEASE job")?;
        if began.elapsed() > LONGEST {
            break;
        }
    }
    run("COMMIT")?;
    Ok(())
}

/// Rolls back a transaction that a failure left open.
fn abandon(connection: &Connection) {
    if !connection.is_autocommit()
        && let Err(error) = connection.execute_batch("ROLLBACK")
    {
        tracing::error!(%error, "the storage could not roll back");
    }
}

/// Catches a panic of a job, so that the thread lives on. The panic hook has logged it.
fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => Some(done),
        Err(panic) if panic.is::<Deadly>() => resume_unwind(panic),
        Err(_) => None,
    }
}

/// A panic that ends the thread; see [`Writer::kill`].
struct Deadly;

#[cfg(test)]
mod tests {
    use std::sync::mpsc as blocking;

    use futures::future::join_all;

    use super::*;

    fn writer() -> Writer {
        let connection = Connection::open_in_memory().unwrap();
        let tables = "
            PRAGMA foreign_keys = ON;
            CREATE TABLE parents (id INTEGER PRIMARY KEY);
            CREATE TABLE numbers (n INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED);";
        connection.execute_batch(tables).unwrap();
        Writer::start(connection, &Vitals::default()).unwrap()
    }

    /// Blocks the writer in a job until told to go on, so that the jobs queued meanwhile become one group.
    async fn hold(writer: &Writer) -> (impl Future<Output = Result<(), StoreError>>, blocking::Sender<()>) {
        let (go, wait) = blocking::channel();
        let (began, begun) = oneshot::channel();
        let mut holding = Box::pin(writer.run(
            move |_| {
                let _ = began.send(());
                let _ = wait.recv();
                Ok(())
            },
            |()| {},
        ));
        assert!(futures::poll!(&mut holding).is_pending());
        begun.await.unwrap();
        (holding, go)
    }

    async fn sql(writer: &Writer, sql: &'static str) -> Result<(), StoreError> {
        let work = move |connection: &Connection| connection.execute_batch(sql).map_err(StoreError::failed);
        writer.run(work, |()| {}).await
    }

    async fn count(writer: &Writer) -> i64 {
        let work = |connection: &Connection| {
            connection
                .query_row("SELECT count(*) FROM numbers", [], |row| row.get(0))
                .map_err(StoreError::failed)
        };
        writer.run(work, |_| {}).await.unwrap()
    }

    /// Runs these jobs as one group. Returns which of them succeeded.
    async fn group(writer: &Writer, jobs: &[&'static str]) -> Vec<bool> {
        let (holding, go) = hold(writer).await;
        let mut jobs = Box::pin(join_all(jobs.iter().map(|job| sql(writer, job))));
        assert!(futures::poll!(&mut jobs).is_pending());
        go.send(()).unwrap();
        holding.await.unwrap();
        jobs.await.iter().map(Result::is_ok).collect()
    }

    const GOOD: &str = "INSERT INTO numbers VALUES (NULL)";

    #[tokio::test]
    async fn a_full_queue_says_so_at_once_and_loses_nothing() {
        let writer = writer();
        let (holding, go) = hold(&writer).await;
        let mut waiting = Box::pin(join_all((0..QUEUE).map(|_| sql(&writer, GOOD))));
        assert!(futures::poll!(&mut waiting).is_pending());
        assert!(matches!(sql(&writer, GOOD).await, Err(StoreError::Busy)));
        go.send(()).unwrap();
        holding.await.unwrap();
        assert!(waiting.await.iter().all(Result::is_ok));
        assert_eq!(count(&writer).await, QUEUE as i64);
    }

    #[tokio::test]
    async fn a_job_that_fails_undoes_only_itself() {
        let writer = writer();
        let half = "INSERT INTO numbers VALUES (NULL); INSERT INTO nowhere VALUES (1)";
        assert_eq!(group(&writer, &[GOOD, half, GOOD]).await, [true, false, true]);
        assert_eq!(count(&writer).await, 2);
    }

    #[tokio::test]
    async fn a_job_that_panics_undoes_only_itself() {
        let writer = writer();
        let (holding, go) = hold(&writer).await;
        let panics = writer.run::<()>(
            |connection| {
                connection.execute(GOOD, []).unwrap();
                panic!("a fault in a job, on purpose");
            },
            |()| {},
        );
        let mut panics = Box::pin(panics);
        let mut good = Box::pin(sql(&writer, GOOD));
        assert!(futures::poll!(&mut panics).is_pending());
        assert!(futures::poll!(&mut good).is_pending());
        go.send(()).unwrap();
        holding.await.unwrap();
        assert!(matches!(panics.await, Err(StoreError::Failed(_))));
        good.await.unwrap();
        assert_eq!(count(&writer).await, 1);
    }

    #[tokio::test]
    async fn no_job_succeeds_before_its_commit() {
        let writer = writer();
        // A deferred foreign key: the statement passes, the commit does not.
        let spoils = "INSERT INTO numbers VALUES (404)";
        assert_eq!(group(&writer, &[GOOD, spoils, GOOD]).await, [false, false, false]);
        assert_eq!(count(&writer).await, 0);
        assert_eq!(group(&writer, &[GOOD]).await, [true], "and it goes on");
    }

    #[tokio::test]
    async fn a_transaction_that_sqlite_rolled_back_is_not_continued() {
        let writer = writer();
        // As SQLite does by itself on a full disk.
        assert_eq!(
            group(&writer, &[GOOD, "ROLLBACK", GOOD]).await,
            [false, false, false]
        );
        assert_eq!(count(&writer).await, 0);
        assert_eq!(group(&writer, &[GOOD]).await, [true], "and it goes on");
    }

    #[tokio::test]
    async fn closing_finishes_the_queue() {
        let writer = writer();
        let (holding, go) = hold(&writer).await;
        let mut waiting = Box::pin(join_all((0..1_000).map(|_| sql(&writer, GOOD))));
        assert!(futures::poll!(&mut waiting).is_pending());
        go.send(()).unwrap();
        writer.close();
        holding.await.unwrap();
        assert!(waiting.await.iter().all(Result::is_ok));
        assert!(matches!(sql(&writer, GOOD).await, Err(StoreError::Failed(_))));
        writer.close();
    }
}
