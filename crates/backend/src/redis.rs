//! What replicas tell each other, through one Redis, standalone or cluster. Redis keeps nothing that matters: messages,
//! rooms and sessions are in the database that the replicas share.
//!
//! A room has one channel ([`keys`]). [`bus`] tells followers on this replica directly, and other replicas through the
//! channel: what is to be published waits in an [`outbox`] of its server, a [`publisher`] sends it, and [`untold`]
//! remembers what may have reached nobody. [`subscriptions`] knows what is followed on this replica, [`subscriber`]
//! subscribes to the channels, [`message`] is what travels there, and [`chat::Order`] puts the events of several replicas in
//! order. What is lost on the way, followers read from the log.
//!
//! [`presence`] is leases in Redis, which [`script`]s change atomically and [`renewal`] prolongs for the people in
//! [`local_presence`]; [`versions`] tells whether a change is missing, and [`known`] answers while Redis is away.
//!
//! [`servers`] knows which server has which slot and sends commands there over a [`link`], a connection that
//! reconnects. [`opening`] checks a Redis before it is used.

mod bus;
mod check;
mod error;
mod keys;
mod known;
mod link;
mod local_presence;
mod message;
mod opening;
mod outbox;
mod presence;
mod publisher;
mod renewal;
mod replica;
mod rights;
mod script;
mod servers;
mod slots;
mod subscriber;
mod subscriptions;
mod untold;
mod url;
mod value;
mod versions;
mod work;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chat::ports::Ids;
use futures::StreamExt;
use protocol::Opaque;
use tokio::time::timeout;

use crate::ids::RandomIds;
use crate::vitals::tireless;
pub use error::OpenRedisError;
use keys::{Keys, Topic};
use local_presence::LocalPresence;
use replica::Inner;
pub use replica::Redis;
use servers::Servers;
use subscriptions::Subscriptions;

/// The prefix of all keys.
const PREFIX: &str = "hubbub:";
/// Events that a follower of a log can be behind before it gets a gap.
const LOG_CHANNEL: usize = 2_048;
/// Changes that a follower of a room's presence can be behind before it must read the roster again.
const PRESENCE_CHANNEL: usize = 256;
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
        let replica = Opaque::from_random(RandomIds.random());
        let subscriptions = Subscriptions::new(keys.clone(), replica.clone(), LOG_CHANNEL, PRESENCE_CHANNEL);
        let servers = Servers::start(target, replica.clone(), Arc::clone(&subscriptions)).map_err(failed)?;
        if cluster && !servers.arrange(&slots).map_err(failed)? {
            return Err(OpenRedisError::Incomplete {
                server,
                cause: "not every slot has a server".to_owned(),
            });
        }
        let owner = servers.owner(&keys.channel(&Topic::Replicas)).ok();
        let replicas =
            subscriptions.subscribe(&Topic::Replicas, owner.map(|server| Arc::clone(&server.work)));
        let inner = Arc::new(Inner {
            servers,
            subscriptions,
            _replicas: replicas,
            keys,
            replica,
            present: Arc::new(LocalPresence::default()),
            ids: RandomIds,
            tasks: Mutex::default(),
        });
        let renewing = Arc::downgrade(&inner);
        let renewing = tireless("renewal", move || renewal::run(renewing.clone()));
        let telling = Arc::downgrade(&inner.servers);
        let telling = tireless("notices to replicas", move || {
            Servers::keep_telling(telling.clone())
        });
        let ordering = Arc::clone(&inner.subscriptions);
        let ordering = tireless("order of events", move || {
            let ordering = Arc::clone(&ordering);
            async move { ordering.keep_order().await }
        });
        let mut tasks = vec![
            tokio::spawn(renewing).abort_handle(),
            tokio::spawn(telling).abort_handle(),
            tokio::spawn(ordering).abort_handle(),
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

    /// Removes this replica's people from all rooms, tells other replicas what they were not told yet, ends the
    /// followers' streams, and disconnects. Closing again does nothing.
    pub async fn close(&self) {
        let inner = &self.inner;
        inner.stop();
        let goodbyes = futures::stream::iter(inner.present.clear());
        let goodbyes = goodbyes.for_each_concurrent(GOODBYES, |room| async move {
            if let Err(error) = inner.settle(&room).await {
                tracing::debug!(%error, %room, "cannot remove this replica's people from a room");
            }
        });
        let goodbyes = async {
            goodbyes.await;
            inner.servers.flushed().await;
        };
        if timeout(GOODBYE, goodbyes).await.is_err() {
            tracing::warn!(
                "Redis did not answer in time; other replicas hear later what happened here last, and the people of this \
                 replica disappear when its leases expire"
            );
        }
        inner.subscriptions.close();
        inner.servers.close();
    }
}
