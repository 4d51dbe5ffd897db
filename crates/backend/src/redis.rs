//! The Redis backend: everything in a Redis, standalone or cluster, so that any number of replicas are one chat.
//!
//! A room lives in one slot ([`keys`]). What changes it is a [`script`] that is done whole or not at all, and that
//! publishes what it did in the room's channel, in the one order that everybody hears. The channel is the doorbell;
//! the stream in [`log`] is the log, and whatever the doorbell loses is read from it.
//!
//! [`servers`] knows which server has which slot and brings commands there over a [`link`], a connection that is
//! kept. [`subscriptions`] knows what is followed here, [`subscriber`] has it brought, [`message`] reads it, and
//! [`heard`] tells whether something is missing. [`presence`] is who is where: leases that the [`renewal`] prolongs
//! for whoever is [`here`]. [`opening`] is what must be true of a Redis before it is used.

mod accounts;
mod activity;
mod check;
mod directory;
mod error;
mod heard;
mod here;
mod keys;
mod link;
mod log;
mod message;
mod opening;
mod presence;
mod renewal;
mod replica;
mod rights;
mod script;
mod servers;
mod slots;
mod subscriber;
mod subscriptions;
mod url;
mod value;
mod work;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chat::StoreError;
use chat::ports::Ids;
use futures::StreamExt;
use protocol::Opaque;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::ends::Ends;
use crate::ids::RandomIds;
use crate::vitals::tireless;
use activity::Activity;
pub use error::OpenRedisError;
use here::Here;
use keys::Keys;
use replica::Inner;
pub use replica::Redis;
use servers::{Servers, in_time};
use subscriptions::Subscriptions;

/// What all keys begin with.
const PREFIX: &str = "hubbub:";
/// Events that a follower of a log may lie behind before it is told of a gap.
const LOG_CHANNEL: usize = 2_048;
/// Changes that a follower of a room's presence may lie behind before it is told to read the roster again.
const PRESENCE_CHANNEL: usize = 256;
/// Appends that may be under way. Beyond it the caller is told [`StoreError::Busy`] at once.
const APPENDS: usize = 4_096;
/// How long saying goodbye may take: whoever stops must not wait for a Redis that is away.
const GOODBYE: Duration = Duration::from_secs(2);
/// Rooms said goodbye to at once.
const GOODBYES: usize = 64;

impl Redis {
    /// Connects to `redis://…`, `rediss://…` or `redis-cluster://host:port,host:port`, checks that this Redis can
    /// hold a chat, and claims its keys.
    ///
    /// # Errors
    /// Each says in one line which server it is about, and what to do or the cause: see [`OpenRedisError`].
    pub async fn open(url: &str) -> Result<Self, OpenRedisError> {
        Self::open_with_prefix(url, PREFIX).await
    }

    /// The same with keys that begin differently, so that tests can share a cluster, which has only one database.
    ///
    /// # Errors
    /// As [`Redis::open`].
    #[doc(hidden)]
    pub async fn open_with_prefix(url: &str, prefix: &str) -> Result<Self, OpenRedisError> {
        let keys = Keys::new(prefix);
        let (target, slots) = opening::examine(url::Target::parse(url)?, &keys).await?;
        let server = target
            .servers
            .first()
            .map_or_else(String::new, |info| info.addr().to_string());
        let failed = |cause: ::redis::RedisError| OpenRedisError::Unreachable {
            server: server.clone(),
            cause: cause.to_string(),
        };
        let cluster = target.cluster;
        let subscriptions = Subscriptions::new(keys.clone(), LOG_CHANNEL, PRESENCE_CHANNEL);
        let servers = Servers::start(target, Arc::clone(&subscriptions)).map_err(failed)?;
        if cluster && !servers.arrange(&slots).map_err(failed)? {
            return Err(OpenRedisError::Incomplete {
                server,
                cause: "not every slot has a server".to_owned(),
            });
        }
        let inner = Arc::new(Inner {
            servers,
            subscriptions,
            keys,
            replica: Opaque::from_random(RandomIds.random()),
            here: Arc::new(Here::default()),
            appends: Semaphore::new(APPENDS),
            activity: Arc::new(Activity::default()),
            ends: Ends::default(),
            ids: RandomIds,
            tasks: Mutex::default(),
        });
        let latest_end = accounts::latest(&inner)
            .await
            .map_err(|cause| OpenRedisError::Unreachable {
                server: server.clone(),
                cause: cause.to_string(),
            })?;
        let backend = Arc::downgrade(&inner);
        let (renewing, hearing) = (backend.clone(), backend);
        let (activity, servers) = (Arc::downgrade(&inner.activity), Arc::downgrade(&inner.servers));
        let list = inner.keys.rooms();
        let hearing = tireless("ends of sessions", move || {
            accounts::follow(hearing.clone(), latest_end.clone())
        });
        let renewing = tireless("renewal", move || renewal::go_round(renewing.clone()));
        let telling = tireless("list of rooms", move || {
            activity::tell(activity.clone(), servers.clone(), list.clone())
        });
        let mut tasks = vec![
            tokio::spawn(hearing).abort_handle(),
            tokio::spawn(renewing).abort_handle(),
            tokio::spawn(telling).abort_handle(),
        ];
        if cluster {
            let servers = Arc::downgrade(&inner.servers);
            let keeping = tireless("map of the cluster", move || Servers::keep_map(servers.clone()));
            tasks.push(tokio::spawn(keeping).abort_handle());
        }
        inner
            .tasks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(tasks);
        Ok(Self { inner })
    }

    /// Says goodbye for everybody who is here, tells the followers the end, and disconnects. What is asked afterwards
    /// fails. Closing again does nothing.
    pub async fn close(&self) {
        let inner = &self.inner;
        inner.stop();
        let goodbyes = futures::stream::iter(inner.here.clear());
        let goodbyes = goodbyes.for_each_concurrent(GOODBYES, |room| async move {
            if let Err(error) = inner.settle(&room).await {
                tracing::debug!(%error, %room, "cannot say goodbye");
            }
        });
        if timeout(GOODBYE, goodbyes).await.is_err() {
            tracing::warn!("Redis does not take every goodbye; the leases say the rest");
        }
        inner.ends.close();
        inner.subscriptions.close();
        inner.servers.close();
    }

    /// A secret that all replicas share: `fresh`, or what another replica brought before.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub async fn shared_secret(&self, name: &str, fresh: &[u8]) -> Result<Vec<u8>, StoreError> {
        let key = self.inner.keys.secret(name);
        let mut set = ::redis::cmd("SET");
        set.arg(&key).arg(fresh).arg("NX");
        let mut get = ::redis::cmd("GET");
        get.arg(&key);
        let sharing = async {
            self.inner.servers.send(&key, &set).await?;
            value::read(self.inner.servers.send(&key, &get).await?)
        };
        in_time(sharing).await
    }
}
