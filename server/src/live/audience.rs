//! The connections of this process that receive a room's events.
//!
//! A packet is encoded once and written straight to each connection. The library would copy it, and wake a task, for
//! each of them.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde::Serialize;

use super::frame::{self, CHAT};
use super::wire::Wire;

/// The task yields after this many connections.
const PAUSE: usize = 64;
/// One task writes to at least this many connections.
const PART: usize = 256;

/// Numbers the memberships. A socket that leaves its namespace and comes back has the same id as before, so each
/// membership has a number of its own: ending the first leaves the second alone.
static MEMBERSHIPS: AtomicU64 = AtomicU64::new(0);

/// A connection's membership of an audience.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Membership {
    /// The number of the connection.
    wire: u64,
    number: NonZeroU64,
}

impl Membership {
    /// A new membership for this connection.
    pub fn next(wire: &Wire) -> Self {
        Self {
            wire: wire.number(),
            number: NonZeroU64::MIN.saturating_add(MEMBERSHIPS.fetch_add(1, Ordering::Relaxed)),
        }
    }
}

/// The connections in one room.
#[derive(Default)]
pub struct Audience(Mutex<Members>);

#[derive(Default)]
struct Members {
    /// In the order in which they were opened. Their data lies in memory in about this order, here and in the kernel,
    /// so visiting them in this order is faster.
    wires: BTreeMap<Membership, Arc<Wire>>,
    /// A snapshot of all connections, kept until one enters or leaves.
    all: Option<Arc<[Arc<Wire>]>>,
}

impl Audience {
    fn members(&self) -> MutexGuard<'_, Members> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of connections.
    pub fn len(&self) -> u32 {
        u32::try_from(self.members().wires.len()).unwrap_or(u32::MAX)
    }

    /// Adds a connection. Returns its membership, for [`Audience::leave`].
    pub fn enter(&self, wire: &Arc<Wire>) -> Membership {
        let membership = Membership::next(wire);
        let mut members = self.members();
        members.wires.insert(membership, Arc::clone(wire));
        members.all = None;
        membership
    }

    /// Removes a connection.
    pub fn leave(&self, membership: Membership) {
        let mut members = self.members();
        members.wires.remove(&membership);
        members.all = None;
    }

    /// Sends an event to every connection. It is encoded once.
    pub async fn tell<T: Serialize + Sync>(&self, event: &str, data: &T) {
        self.tell_in(CHAT, event, data, None).await;
    }

    /// As [`Audience::tell`], in another namespace, and without the connection with the number `but`.
    pub async fn tell_in<T: Serialize + Sync>(
        &self,
        namespace: &str,
        event: &str,
        data: &T,
        but: Option<u64>,
    ) {
        let all = {
            let mut members = self.members();
            let members = &mut *members;
            let wires = &members.wires;
            let all = members
                .all
                .get_or_insert_with(|| wires.values().cloned().collect());
            Arc::clone(all)
        };
        if !all.is_empty() {
            match frame::event(namespace, event, data) {
                Ok(frame) => write_all(all, frame, but).await,
                Err(error) => tracing::error!(%error, event, "could not encode an event"),
            }
        }
    }
}

/// Writes to every connection, in several tasks if there are many, and waits for all of these tasks.
async fn write_all(wires: Arc<[Arc<Wire>]>, frame: Bytes, but: Option<u64>) {
    let workers = tokio::runtime::Handle::current().metrics().num_workers();
    let parts = (wires.len() / PART).clamp(1, workers);
    let part = wires.len().div_ceil(parts);
    let mut tasks = Vec::new();
    for from in (part..wires.len()).step_by(part) {
        let (wires, frame) = (Arc::clone(&wires), frame.clone());
        tasks.push(tokio::spawn(async move {
            write(&wires[from..wires.len().min(from + part)], &frame, but).await;
        }));
    }
    write(&wires[..part.min(wires.len())], &frame, but).await;
    for task in tasks {
        if let Err(error) = task.await {
            tracing::error!(%error, "could not send to some connections of a room");
        }
    }
}

async fn write(wires: &[Arc<Wire>], frame: &Bytes, but: Option<u64>) {
    for some in wires.chunks(PAUSE) {
        for wire in some.iter().filter(|wire| Some(wire.number()) != but) {
            wire.send(frame);
        }
        tokio::task::yield_now().await;
    }
}
