//! Every few seconds, for each room that people of this replica are in or that it follows: prolongs the lease, and
//! checks that nothing was missed.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use chat::StoreError;
use futures::StreamExt;
use protocol::RoomSlug;
use tokio::time::{sleep, timeout};

use super::keys::Topic;
use super::local_presence::Expected;
use super::replica::Inner;
use super::{opening, script, value};

/// The time between two rounds. A lease spans three, so one failed round removes nobody.
const ROUND: Duration = Duration::from_secs(3);
/// The wait after a failed round, so that people are back soon after Redis is.
const AGAIN: Duration = Duration::from_millis(500);
/// Rooms checked at the same time.
const AT_ONCE: usize = 256;
/// After this time, a message that the subscription has not delivered counts as lost.
const ON_ITS_WAY: Duration = Duration::from_millis(200);

/// How often to try to compare digests while nobody enters or leaves, and how long to wait in between.
const QUIET_TRIES: usize = 5;
const QUIET: Duration = Duration::from_millis(20);

/// Rooms whose subscription may be behind the version in Redis, to be checked again.
type Suspects = Mutex<Vec<(RoomSlug, u64)>>;
/// Servers that did not answer in this round.
type Silent = Mutex<HashMap<String, StoreError>>;

/// Renews and checks every few seconds for as long as the backend lives.
pub async fn run(backend: Weak<Inner>) {
    let mut well = true;
    loop {
        let Some(inner) = backend.upgrade() else { return };
        let silent = round(&inner).await;
        let up = Arc::clone(&inner.servers.up);
        drop(inner);
        // Log only the first of several failed rounds.
        if let Some((server, error)) = &silent
            && well
        {
            tracing::warn!(%error, %server, "cannot tell Redis who is here");
        }
        well = silent.is_none();
        // A Redis that is back may have forgotten everybody, so tell it at once.
        let _ = timeout(if well { ROUND } else { AGAIN }, up.notified()).await;
    }
}

/// Does one round. Returns a server that did not answer, if there is one.
async fn round(inner: &Inner) -> Option<(String, StoreError)> {
    let rooms = inner.present.occupied().into_iter();
    let rooms: BTreeSet<_> = rooms.chain(inner.subscriptions.rooms()).collect();
    let (suspects, silent) = (Suspects::default(), Silent::default());
    let looking = futures::stream::iter(rooms).for_each_concurrent(AT_ONCE, |room| {
        let (suspects, silent) = (&suspects, &silent);
        async move {
            let owner = inner
                .servers
                .owner(&inner.keys.channel(&Topic::Room(room.clone())));
            let server = owner.map_or_else(|_| String::new(), |server| server.address.clone());
            // If a server does not answer, skip its other rooms.
            if !lock(silent).contains_key(&server)
                && let Err(error) = inner.look_after(&room, suspects).await
            {
                lock(silent).insert(server, error);
            }
        }
    });
    looking.await;
    if let Err(error) = inner.claim().await.and(inner.occupy().await) {
        tracing::debug!(%error, "cannot tell Redis where people are; trying again with the next round");
    }
    let suspects = std::mem::take(&mut *lock(&suspects));
    if !suspects.is_empty() {
        sleep(ON_ITS_WAY).await;
        for (room, version) in suspects {
            inner.subscriptions.insist(&room, version);
        }
    }
    let silent = std::mem::take(&mut *lock(&silent));
    silent.into_iter().next()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    async fn look_after(&self, room: &RoomSlug, suspects: &Suspects) -> Result<(), StoreError> {
        let before = self.subscriptions.version(room);
        let expected = self.present.expected(room);
        let (version, digest) = self.renew(room).await?;
        if let Some(before) = before
            && self.subscriptions.compare(room, before, version)
        {
            lock(suspects).push((room.clone(), version));
        }
        self.check(room, expected, digest).await
    }

    /// Makes sure that Redis knows who is in a room. `digest` is Redis' digest, `expected` what it should be.
    async fn check(
        &self,
        room: &RoomSlug,
        mut expected: Expected,
        mut digest: u64,
    ) -> Result<(), StoreError> {
        for _ in 0..QUIET_TRIES {
            match expected.compare(self.present.expected(room), digest) {
                Some(true) => return Ok(()),
                Some(false) => break,
                // People enter and leave right now. Settling would always be right, but is expensive.
                None => {
                    sleep(QUIET).await;
                    expected = self.present.expected(room);
                    (_, digest) = self.renew(room).await?;
                }
            }
        }
        tracing::info!(%room, "Redis does not know who is here; telling it again");
        self.settle(room).await
    }

    /// Prolongs the lease. Returns the version of the room's presence, and Redis' digest of this replica's connections.
    async fn renew(&self, room: &RoomSlug) -> Result<(u64, u64), StoreError> {
        let run = self.presence(&script::RENEW, room);
        let (version, digest): (u64, String) = value::read(self.servers.run(run).await?)?;
        let digest = if digest.is_empty() {
            0
        } else {
            value::number(&digest)?
        };
        Ok((version, digest))
    }

    /// Claims the keys again, in case Redis was emptied.
    async fn claim(&self) -> Result<(), StoreError> {
        let claim = opening::write(&self.keys);
        self.servers.send(&self.keys.format(), &claim).await.map(drop)
    }
}
