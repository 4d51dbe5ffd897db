//! A connection's commands that wait, and who works them off.
//!
//! Most connections are idle most of the time, and there are thousands of them: an idle one has neither a task nor a
//! buffer. A task begins with the first command and ends with the last one that waits; there is never more than one,
//! so commands are worked off one after the other, in the order in which they came.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use tokio::sync::Notify;

use super::lines::{End, place};
use super::logins::Nudge;
use super::queued::Queued;
use crate::engine::Peer;
use crate::live::{Account, Wire};
use crate::state::State;

/// Commands that may wait.
const QUEUE: usize = 2_048;
/// Bytes that may wait.
const QUEUE_BYTES: usize = 2 * 1024 * 1024;

/// A line with a brake stops the reading when so many wait, or so many bytes. Half of it lets the reading go on.
const ENOUGH: usize = 512;
const ENOUGH_BYTES: usize = 512 * 1024;

/// What one end of a connection does with its commands.
pub trait Worker: Sized + Send + 'static {
    /// Works a command off. It may take more out of the line; one that it takes and leaves alone it returns.
    fn work(&mut self, queued: Queued, line: &Line<Self>) -> impl Future<Output = Option<Queued>> + Send;

    /// Looks at what may have changed since the last command: called before each of them, and after a
    /// [`Nudge::nudge`].
    fn refresh(&mut self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// Whether a command has to be worked off even if its answer arrives nowhere.
    fn matters(queued: &Queued) -> bool;

    /// [`Worker::work`] panicked. If the command wanted an answer, it has one: `internal`.
    fn panicked(&self);

    /// Closes the connection, because its work cannot go on: the client comes back and resumes.
    fn abort(&self);

    /// The connection has ended, and whatever it sent has been worked off.
    fn end(self) -> impl Future<Output = ()> + Send;
}

/// The line of one connection.
pub struct Line<W> {
    state: State,
    /// Where the answers go.
    peer: Option<Arc<Peer>>,
    /// Whether the client is slowed down before the line is full.
    brakes: bool,
    waiting: Mutex<Waiting<W>>,
    gone: Notify,
}

struct Waiting<W> {
    /// Boxed, because most of the time nothing waits.
    queue: Option<Box<Queue>>,
    /// Nobody before [`Line::begin`] and while a task works.
    idle: Option<Box<W>>,
    /// The worker is to refresh itself before it rests.
    nudged: bool,
    ended: bool,
}

/// The commands that wait.
#[derive(Default)]
struct Queue {
    commands: VecDeque<Queued>,
    bytes: usize,
    /// What they are charged to.
    account: Option<Arc<Account>>,
}

impl<W: Worker> Line<W> {
    /// A line that is open already, for a worker that comes later. With a brake it slows its client down before it
    /// is full.
    pub fn new(state: &State, peer: Option<&Arc<Peer>>, brakes: bool) -> Arc<Self> {
        Arc::new(Self {
            state: state.clone(),
            peer: peer.cloned(),
            brakes,
            waiting: Mutex::new(Waiting {
                queue: None,
                idle: None,
                nudged: false,
                ended: false,
            }),
            gone: Notify::new(),
        })
    }

    /// What the process shares.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// From now on this worker works off what comes, until [`Line::end`] or the end of the process.
    pub fn begin(self: &Arc<Self>, worker: W) {
        let worker = Box::new(worker);
        let open: Arc<dyn End> = Arc::clone(self) as _;
        // Before the worker is there, so that none is overlooked when the process ends meanwhile.
        let entered = self.state.lines.enter(&open);
        let mut waiting = self.lock();
        waiting.ended |= !entered;
        if waiting.queue.is_none() && !waiting.ended && !waiting.nudged {
            waiting.idle = Some(worker);
        } else {
            drop(waiting);
            self.spawn(worker, None);
        }
    }

    /// Puts a command at the end.
    ///
    /// # Errors
    /// Gives it back if the line is full, or has ended.
    pub fn push(self: &Arc<Self>, queued: Queued) -> Result<(), Queued> {
        let mut waiting = self.lock();
        if waiting.ended || waiting.has_more_than(QUEUE - 1, QUEUE_BYTES) {
            return Err(queued);
        }
        if let Some(worker) = waiting.idle.take() {
            drop(waiting);
            self.spawn(worker, Some(queued));
        } else {
            let queue = waiting.queue.get_or_insert_default();
            if let Some(wire) = self.wire() {
                let account = queue.account.get_or_insert_with(|| wire.open(&self.state.budget));
                account.charge(queued.bytes);
            }
            queue.bytes += queued.bytes;
            queue.commands.push_back(queued);
            if self.brakes
                && waiting.has_more_than(ENOUGH, ENOUGH_BYTES)
                && let Some(peer) = &self.peer
            {
                peer.brake.pull();
            }
        }
        Ok(())
    }

    /// Takes the next command out, if one waits.
    pub fn next(&self) -> Option<Queued> {
        self.take_next(&mut self.lock())
    }

    fn take_next(&self, waiting: &mut Waiting<W>) -> Option<Queued> {
        let queued = waiting.next();
        if self.brakes
            && !waiting.has_more_than(ENOUGH / 2, ENOUGH_BYTES / 2)
            && let Some(peer) = &self.peer
        {
            peer.brake.release();
        }
        queued
    }

    /// No command comes after those that wait.
    pub fn end(self: &Arc<Self>) {
        let idle = {
            let mut waiting = self.lock();
            waiting.ended = true;
            waiting.idle.take()
        };
        self.gone.notify_one();
        if let Some(worker) = idle {
            self.spawn(worker, None);
        }
    }

    /// Completes when the connection has ended.
    pub async fn gone(&self) {
        while !self.lock().ended {
            self.gone.notified().await;
        }
    }

    /// Completes when little waits for the peer: what it is told next would only wait behind it.
    async fn eased(&self) {
        if let Some(wire) = self.wire() {
            tokio::select! {
                () = wire.account().eased() => {}
                () = self.gone() => {}
            }
        }
    }

    /// Whether what the peer is told may still arrive.
    fn is_heard(&self) -> bool {
        self.wire().is_none_or(|wire| !wire.is_ended())
    }

    /// The writing side of the connection.
    pub fn wire(&self) -> Option<&Arc<Wire>> {
        self.peer.as_ref().map(|peer| &peer.wire)
    }

    fn spawn(self: &Arc<Self>, worker: Box<W>, first: Option<Queued>) {
        self.state.tasks.spawn(run(Arc::clone(self), worker, first));
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<W>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W> Waiting<W> {
    /// True if more commands wait than this, or more bytes.
    fn has_more_than(&self, commands: usize, bytes: usize) -> bool {
        let queue = self.queue.as_ref();
        queue.is_some_and(|queue| queue.commands.len() > commands || queue.bytes > bytes)
    }

    fn next(&mut self) -> Option<Queued> {
        let queue = self.queue.as_mut()?;
        let Some(queued) = queue.commands.pop_front() else {
            // An empty queue keeps no memory.
            self.queue = None;
            return None;
        };
        queue.bytes -= queued.bytes;
        if let Some(account) = &queue.account {
            account.credit(queued.bytes);
        }
        Some(queued)
    }
}

async fn run<W: Worker>(line: Arc<Line<W>>, mut worker: Box<W>, mut next: Option<Queued>) {
    loop {
        let queued = next.take();
        if queued.is_some() {
            line.eased().await;
        }
        if AssertUnwindSafe(worker.refresh()).catch_unwind().await.is_err() {
            worker.abort();
        }
        if let Some(queued) = queued.filter(|queued| line.is_heard() || W::matters(queued)) {
            let work = AssertUnwindSafe(worker.work(queued, &line)).catch_unwind();
            next = work.await.unwrap_or_else(|_| {
                worker.panicked();
                None
            });
            if next.is_some() {
                continue;
            }
        }
        let mut waiting = line.lock();
        next = line.take_next(&mut waiting);
        let nudged = std::mem::take(&mut waiting.nudged);
        if next.is_none() && !nudged {
            if !waiting.ended {
                waiting.idle = Some(worker);
                return;
            }
            line.state.lines.leave(place(&line));
            break;
        }
    }
    worker.end().await;
}

impl<W: Worker> Nudge for Line<W> {
    fn nudge(self: Arc<Self>) {
        let mut waiting = self.lock();
        match waiting.idle.take() {
            Some(worker) => {
                drop(waiting);
                self.spawn(worker, None);
            }
            None => waiting.nudged = true,
        }
    }
}

impl<W: Worker> End for Line<W> {
    fn end(self: Arc<Self>) {
        Line::end(&self);
    }
}
