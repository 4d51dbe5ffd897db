//! A connection's waiting commands, and the task that handles them.
//!
//! Most of the many connections are idle most of the time, and an idle one has neither a task nor a buffer. A task
//! starts with the first command and ends when none is waiting. There is never more than one, so commands are handled
//! one after the other, in the order in which they arrived.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use tokio::sync::Notify;

use super::lines::{End, key};
use super::logins::Nudge;
use super::queued::Queued;
use crate::engine::Peer;
use crate::live::{Account, Wire};
use crate::state::State;

/// The most commands that may wait.
const QUEUE: usize = 2_048;
/// The most bytes that may wait.
const QUEUE_BYTES: usize = 2 * 1024 * 1024;

/// A line with a brake stops reading when more commands or bytes than this wait, and resumes at half of it.
const ENOUGH: usize = 512;
const ENOUGH_BYTES: usize = 512 * 1024;

/// Handles the commands of one connection.
pub trait Worker: Sized + Send + 'static {
    /// Handles a command. It may take more commands from the line, and returns one that it took but did not handle.
    fn work(&mut self, queued: Queued, line: &Line<Self>) -> impl Future<Output = Option<Queued>> + Send;

    /// Updates state that may have changed since the last command. Called before each command, and after a
    /// [`Nudge::nudge`].
    fn refresh(&mut self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// True if a command must be handled even if its answer can no longer arrive.
    fn matters(queued: &Queued) -> bool;

    /// Called when [`Worker::work`] panicked. A command that wanted an answer was answered `internal`.
    fn panicked(&self);

    /// Closes the connection because it cannot be served any longer. The client reconnects and catches up.
    fn abort(&self);

    /// Called when the connection has ended and its commands have been handled.
    fn end(self) -> impl Future<Output = ()> + Send;
}

/// The line of one connection.
pub struct Line<W> {
    state: State,
    /// The peer that the answers go to.
    peer: Option<Arc<Peer>>,
    /// Whether the client is slowed down before the line is full.
    brakes: bool,
    waiting: Mutex<Waiting<W>>,
    gone: Notify,
}

struct Waiting<W> {
    /// Boxed, because usually nothing waits.
    queue: Option<Box<Queue>>,
    /// The worker, when idle. `None` before [`Line::begin`], and while a task runs.
    idle: Option<Box<W>>,
    /// The worker must refresh before it becomes idle.
    nudged: bool,
    ended: bool,
}

/// The waiting commands.
#[derive(Default)]
struct Queue {
    commands: VecDeque<Queued>,
    bytes: usize,
    /// The account that their bytes are charged to.
    account: Option<Arc<Account>>,
}

impl<W: Worker> Line<W> {
    /// Creates an open line, for a worker that comes later. With a brake, it slows its client down before it is full.
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

    /// The state that all handlers share.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Handles commands with this worker, until [`Line::end`] or the end of the process.
    pub fn begin(self: &Arc<Self>, worker: W) {
        let worker = Box::new(worker);
        let open: Arc<dyn End> = Arc::clone(self) as _;
        // Registered before the worker starts, so that the end of the process cannot miss it.
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

    /// Appends a command.
    ///
    /// # Errors
    /// Returns the command if the line is full or has ended.
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

    /// Takes the next command, if one is waiting.
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

    /// Accepts no further commands. Those that wait are still handled.
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

    /// Completes when little waits for the peer, because an answer would only wait behind it.
    async fn eased(&self) {
        if let Some(wire) = self.wire() {
            tokio::select! {
                () = wire.account().eased() => {}
                () = self.gone() => {}
            }
        }
    }

    /// True if an answer may still arrive.
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
            // Release the memory.
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
            line.state.lines.leave(key(&line));
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
