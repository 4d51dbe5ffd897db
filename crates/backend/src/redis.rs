//! The Redis backend: everything in one Redis, standalone or cluster, that any number of replicas share.
//!
//! A room lives in one slot ([`keys`]). A [`script`] changes it atomically and publishes the change on the room's
//! channel, so all replicas receive changes in the same order. The channel is only a doorbell: the stream in [`log`] is
//! the log, and what the channel loses is read from there.
//!
//! [`servers`] knows which server has which slot and sends commands there over a [`link`], a connection that
//! reconnects. [`subscriptions`] knows the rooms followed on this replica, [`subscriber`] subscribes to their channels,
//! [`message`] parses what arrives, and [`heard`] decides whether something is missing. [`presence`] is leases, which
//! [`renewal`] prolongs for the people in [`local_presence`]. [`opening`] checks a Redis before it is used.

mod accounts;
mod activity;
mod check;
mod directory;
mod error;
mod heard;
mod keys;
mod link;
mod local_presence;
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
use keys::Keys;
use local_presence::LocalPresence;
use replica::Inner;
pub use replica::Redis;
use servers::{Servers, in_time};
use subscriptions::Subscriptions;

/// The prefix of all keys.
const PREFIX: &str = "hubbub:";
/// Events that a follower of a log can be behind before it gets a gap.
const LOG_CHANNEL: usize = 2_048;
/// Changes that a follower of a room's presence can be behind before it must read the roster again.
const PRESENCE_CHANNEL: usize = 256;
/// The most concurrent appends. Beyond that, callers get [`StoreError::Busy`] at once.
const APPENDS: usize = 4_096;
/// How long a replica that closes may take to remove its people, so that it does not wait for a Redis that is down.
const GOODBYE: Duration = Duration::from_secs(2);
/// Rooms from which people are removed at a time.
const GOODBYES: usize = 64;

impl Redis {
    /// Connects to `redis://…`, `rediss://…` or `redis-cluster://host:port,host:port`, checks that Hubbub can use this
    /// Redis, and claims its keys.
    ///
    /// # Errors
    /// One line that names the server, and the remedy or the cause: see [`OpenRedisError`].
    pub async fn open(url: &str) -> Result<Self, OpenRedisError> {
        Self::open_with_prefix(url, PREFIX).await
    }

    /// Like [`Redis::open`], with another prefix of keys, so that tests can share a cluster, which has only one
    /// database.
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
            present: Arc::new(LocalPresence::default()),
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
        let renewing = tireless("renewal", move || renewal::run(renewing.clone()));
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

    /// Removes this replica's people from all rooms, ends the followers' streams, and disconnects. Later calls fail.
    /// Closing again does nothing.
    pub async fn close(&self) {
        let inner = &self.inner;
        inner.stop();
        let goodbyes = futures::stream::iter(inner.present.clear());
        let goodbyes = goodbyes.for_each_concurrent(GOODBYES, |room| async move {
            if let Err(error) = inner.settle(&room).await {
                tracing::debug!(%error, %room, "cannot remove this replica's people from a room");
            }
        });
        if timeout(GOODBYE, goodbyes).await.is_err() {
            tracing::warn!(
                "Redis did not answer in time; the people of this replica disappear when its leases expire"
            );
        }
        inner.ends.close();
        inner.subscriptions.close();
        inner.servers.close();
    }

    /// A secret that all replicas share: `fresh`, or the one that another replica stored first.
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
