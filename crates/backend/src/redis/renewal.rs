//! What this replica does every few seconds for each room that somebody here is in or follows: prolongs its lease,
//! and checks that nothing of the room was missed.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use chat::StoreError;
use futures::StreamExt;
use protocol::{RoomSlug, Seq};
use tokio::time::sleep;

use super::heard::Standing;
use super::here::Expected;
use super::replica::Inner;
use super::{script, value};

/// Between two rounds: three of them in one lease, so that a single one that fails costs nobody their presence.
const ROUND: Duration = Duration::from_secs(3);
/// After a round that failed: people should be back soon after Redis is.
const AGAIN: Duration = Duration::from_millis(500);
/// Rooms asked about at once.
const AT_ONCE: usize = 256;
/// After which what a subscription has not brought is not on its way any more.
const ON_ITS_WAY: Duration = Duration::from_millis(200);

/// How often a moment is sought in which nobody comes or goes, and how long is waited for the next.
const QUIET_TRIES: usize = 5;
const QUIET: Duration = Duration::from_millis(20);

/// What was seen once, and has to be seen again.
type Suspects = Mutex<Vec<(RoomSlug, Standing)>>;
/// Servers that did not answer in this round.
type Silent = Mutex<HashMap<String, StoreError>>;

/// Goes round for as long as the backend lives.
pub async fn go_round(backend: Weak<Inner>) {
    let mut well = true;
    loop {
        let Some(inner) = backend.upgrade() else { return };
        let silent = round(&inner).await;
        drop(inner);
        // Once when it begins: what follows is the same.
        if let Some((server, error)) = &silent
            && well
        {
            tracing::warn!(%error, %server, "cannot tell Redis who is here");
        }
        well = silent.is_none();
        sleep(if well { ROUND } else { AGAIN }).await;
    }
}

/// One round. Gives a server that did not answer, if there is one.
async fn round(inner: &Inner) -> Option<(String, StoreError)> {
    let rooms = inner.here.occupied().into_iter();
    let rooms: BTreeSet<_> = rooms.chain(inner.subscriptions.followed()).collect();
    let (suspects, silent) = (Suspects::default(), Silent::default());
    let looking = futures::stream::iter(rooms).for_each_concurrent(AT_ONCE, |room| {
        let (suspects, silent) = (&suspects, &silent);
        async move {
            let owner = inner.servers.owner(&inner.keys.channel(&room));
            let server = owner.map_or_else(|_| String::new(), |server| server.address.clone());
            // Once a server does not answer, asking about its other rooms only takes time.
            if !lock(silent).contains_key(&server)
                && let Err(error) = inner.look_after(&room, suspects).await
            {
                lock(silent).insert(server, error);
            }
        }
    });
    looking.await;
    if let Err(error) = inner.occupy().await {
        tracing::debug!(%error, "cannot tell Redis where people are; with the next round");
    }
    let suspects = std::mem::take(&mut *lock(&suspects));
    if !suspects.is_empty() {
        sleep(ON_ITS_WAY).await;
        for (room, standing) in suspects {
            inner.subscriptions.insist(&room, &standing);
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
        let expected = self.here.expected(room);
        let (standing, digest) = self.renew(room).await?;
        if let Some(heard) = heard
            && self.subscriptions.compare(room, &heard, &standing)
        {
            lock(suspects).push((room.clone(), standing));
        }
        self.check(room, expected, digest).await
    }

    /// Makes sure that Redis knows who is here. `digest` is what it said, `expected` what it should have said.
    async fn check(
        &self,
        room: &RoomSlug,
        mut expected: Expected,
        mut digest: u64,
    ) -> Result<(), StoreError> {
        for _ in 0..QUIET_TRIES {
            match expected.compare(self.here.expected(room), digest) {
                Some(true) => return Ok(()),
                Some(false) => break,
                // People come and go just now. Telling Redis about everybody is always right, but is not cheap.
                None => {
                    sleep(QUIET).await;
                    expected = self.here.expected(room);
                    (_, digest) = self.renew(room).await?;
                }
            }
        }
        tracing::info!(%room, "Redis does not know who is here; telling it again");
        self.settle(room).await
    }

    /// Prolongs the lease. Gives where the room stands, and Redis' digest of this replica's connections.
    async fn renew(&self, room: &RoomSlug) -> Result<(Standing, u64), StoreError> {
        let run = self.with_known(self.presence(&script::RENEW, room), room);
        let answer: (String, u64, u64, String) = value::read(self.servers.run(run).await?)?;
        let (epoch, head, version, digest) = answer;
        let epoch = Some(epoch).filter(|epoch| !epoch.is_empty());
        let standing = Standing {
            epoch: epoch.map(value::parsed).transpose()?,
            head: value::parsed::<_, Seq>(head)?,
            version,
        };
        let digest = if digest.is_empty() {
            0
        } else {
            value::number(&digest)?
        };
        Ok((standing, digest))
    }

    /// Where a room stands, taken as what its followers know from now on.
    pub(super) async fn stand(&self, room: &RoomSlug) -> Result<Standing, StoreError> {
        let before = self.subscriptions.heard(room).unwrap_or_default();
        let (standing, _) = self.renew(room).await?;
        // What is not here yet is on its way; the next round sees whether it came.
        self.subscriptions.compare(room, &before, &standing);
        Ok(standing)
    }
}
