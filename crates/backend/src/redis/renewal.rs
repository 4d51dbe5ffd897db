//! Every few seconds, for each room that people of this replica are in or that it follows: prolongs the lease, and
//! checks that nothing was missed.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use chat::StoreError;
use futures::StreamExt;
use protocol::{RoomSlug, Seq};
use tokio::time::sleep;

use super::heard::RoomState;
use super::local_presence::Expected;
use super::replica::Inner;
use super::{script, value};

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

/// Rooms whose subscription may be behind, to be checked again.
type Suspects = Mutex<Vec<(RoomSlug, RoomState)>>;
/// Servers that did not answer in this round.
type Silent = Mutex<HashMap<String, StoreError>>;

/// Renews and checks every few seconds for as long as the backend lives.
pub async fn run(backend: Weak<Inner>) {
    let mut well = true;
    loop {
        let Some(inner) = backend.upgrade() else { return };
        let silent = round(&inner).await;
        drop(inner);
        // Log only the first of several failed rounds.
        if let Some((server, error)) = &silent
            && well
        {
            tracing::warn!(%error, %server, "cannot tell Redis who is here");
        }
        well = silent.is_none();
        sleep(if well { ROUND } else { AGAIN }).await;
    }
}

/// Does one round. Returns a server that did not answer, if there is one.
async fn round(inner: &Inner) -> Option<(String, StoreError)> {
    let rooms = inner.present.occupied().into_iter();
    let rooms: BTreeSet<_> = rooms.chain(inner.subscriptions.subscribed()).collect();
    let (suspects, silent) = (Suspects::default(), Silent::default());
    let looking = futures::stream::iter(rooms).for_each_concurrent(AT_ONCE, |room| {
        let (suspects, silent) = (&suspects, &silent);
        async move {
            let owner = inner.servers.owner(&inner.keys.channel(&room));
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
    if let Err(error) = inner.occupy().await {
        tracing::debug!(%error, "cannot tell Redis where people are; trying again with the next round");
    }
    let suspects = std::mem::take(&mut *lock(&suspects));
    if !suspects.is_empty() {
        sleep(ON_ITS_WAY).await;
        for (room, state) in suspects {
            inner.subscriptions.insist(&room, &state);
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
        let heard = self.subscriptions.heard(room);
        let expected = self.present.expected(room);
        let (state, digest) = self.renew(room).await?;
        if let Some(heard) = heard
            && self.subscriptions.compare(room, &heard, &state)
        {
            lock(suspects).push((room.clone(), state));
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

    /// Prolongs the lease. Returns the room's state, and Redis' digest of this replica's connections.
    async fn renew(&self, room: &RoomSlug) -> Result<(RoomState, u64), StoreError> {
        let run = self.with_known(self.presence(&script::RENEW, room), room);
        let answer: (String, u64, u64, String) = value::read(self.servers.run(run).await?)?;
        let (epoch, head, version, digest) = answer;
        let epoch = Some(epoch).filter(|epoch| !epoch.is_empty());
        let state = RoomState {
            epoch: epoch.map(value::parsed).transpose()?,
            head: value::parsed::<_, Seq>(head)?,
            version,
        };
        let digest = if digest.is_empty() {
            0
        } else {
            value::number(&digest)?
        };
        Ok((state, digest))
    }

    /// The room's state in Redis. From now on it counts as delivered to the followers.
    pub(super) async fn room_state(&self, room: &RoomSlug) -> Result<RoomState, StoreError> {
        let before = self.subscriptions.heard(room).unwrap_or_default();
        let (state, _) = self.renew(room).await?;
        // Anything not delivered yet is on its way. The next round checks that it arrived.
        self.subscriptions.compare(room, &before, &state);
        Ok(state)
    }
}
