//! Every truth, bus and presence passes the contracts of its ports.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use backend::Bus;
use chat::ports::{SessionSignal, Signal};
use chat::{Entry, SessionDigest, StoreError};
use futures::stream::BoxStream;
use protocol::RoomSlug;
use testkit::{Backend, End, Wire};

/// A bus as the contracts see it.
struct OnBus<B>(B);

#[async_trait]
impl<B: Bus> End for OnBus<B> {
    fn committed(&self, room: &RoomSlug, entries: &[Arc<Entry>]) {
        self.0.committed(room, entries);
    }

    fn ended(&self, session: &SessionDigest) {
        self.0.ended(session);
    }

    async fn follow(&self, room: &RoomSlug) -> Result<BoxStream<'static, Signal>, StoreError> {
        self.0.follow(room).await
    }

    async fn ends(&self) -> Result<BoxStream<'static, SessionSignal>, StoreError> {
        self.0.ends().await
    }
}

fn end(bus: impl Bus + 'static) -> Arc<dyn End> {
    Arc::new(OnBus(bus))
}

async fn open(server: &testkit::RedisServer) -> backend::Redis {
    let redis = backend::Redis::open(&server.url()).await;
    redis.expect("an empty Redis can be opened")
}

/// A Redis with a truth, which the contract of presence needs to create rooms.
fn on_redis(redis: backend::Redis, keep: impl Any + Send + Sync) -> Backend {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let sqlite = backend::Sqlite::open(folder.path(), Arc::new(redis.clone()));
    let sqlite = sqlite.expect("an empty folder can be opened");
    Backend::new(sqlite, Arc::new(redis), (folder, keep))
}

mod sqlite {
    use super::*;

    async fn fixture() -> Backend {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let local = Arc::new(backend::Local::default());
        let sqlite = backend::Sqlite::open(folder.path(), local.clone());
        Backend::new(sqlite.expect("an empty folder can be opened"), local, folder)
    }

    testkit::room_log_contract!(fixture);
    testkit::directory_contract!(fixture);
    testkit::accounts_contract!(fixture);
    testkit::presence_contract!(fixture);
}

mod postgres {
    use super::*;

    async fn fixture() -> Backend {
        let server = testkit::PostgresServer::shared();
        let url = server.url(&server.database());
        let local = Arc::new(backend::Local::default());
        let postgres = backend::Postgres::open(&url, local.clone(), backend::Sharing::Alone).await;
        let postgres = postgres.unwrap_or_else(|error| panic!("an empty database can be opened: {error}"));
        Backend::new(postgres, local, server)
    }

    testkit::room_log_contract!(fixture);
    testkit::directory_contract!(fixture);
    testkit::accounts_contract!(fixture);
}

mod local {
    use super::*;

    async fn wire() -> Wire {
        let local = end(backend::Local::default());
        Wire::new(local.clone(), local, ())
    }

    testkit::bus_contract!(wire);
}

mod redis {
    use super::*;

    async fn fixture() -> Backend {
        let server = testkit::RedisServer::start();
        on_redis(open(&server).await, server)
    }

    async fn wire() -> Wire {
        let server = testkit::RedisServer::start();
        Wire::new(end(open(&server).await), end(open(&server).await), server)
    }

    testkit::presence_contract!(fixture);
    testkit::bus_contract!(wire);
}

mod valkey {
    use super::*;

    async fn fixture() -> Backend {
        let server = testkit::RedisServer::valkey();
        on_redis(open(&server).await, server)
    }

    async fn wire() -> Wire {
        let server = testkit::RedisServer::valkey();
        Wire::new(end(open(&server).await), end(open(&server).await), server)
    }

    testkit::presence_contract!(fixture);
    testkit::bus_contract!(wire);
}

mod redis_cluster {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::{Mutex, PoisonError, Weak};

    use testkit::RedisCluster;

    use super::*;

    /// Tests that run at the same time share a cluster, because it takes seconds to form.
    fn cluster() -> Arc<RedisCluster> {
        static SHARED: Mutex<Weak<RedisCluster>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let cluster = Arc::new(RedisCluster::start());
            *shared = Arc::downgrade(&cluster);
            cluster
        })
    }

    /// A prefix that no other test uses.
    fn prefix() -> String {
        static TEST: AtomicU32 = AtomicU32::new(0);
        format!("test-{}:", TEST.fetch_add(1, Ordering::Relaxed))
    }

    async fn open(cluster: &RedisCluster, prefix: &str) -> backend::Redis {
        let redis = backend::Redis::open_with_prefix(&cluster.url(), prefix).await;
        redis.expect("an empty cluster can be opened")
    }

    async fn fixture() -> Backend {
        let cluster = cluster();
        on_redis(open(&cluster, &prefix()).await, cluster)
    }

    async fn wire() -> Wire {
        let (cluster, prefix) = (cluster(), prefix());
        let (near, far) = (open(&cluster, &prefix).await, open(&cluster, &prefix).await);
        Wire::new(end(near), end(far), cluster)
    }

    testkit::presence_contract!(fixture);
    testkit::bus_contract!(wire);
}
