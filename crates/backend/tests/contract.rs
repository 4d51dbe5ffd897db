//! Every truth, bus and presence passes the contracts of its ports.

use std::sync::Arc;

use testkit::Backend;

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

mod redis {
    use super::*;

    async fn fixture() -> Backend {
        let server = testkit::RedisServer::start();
        let redis = backend::Redis::open(&server.url()).await;
        let redis = redis.expect("an empty Redis can be opened");
        Backend::new(redis.clone(), Arc::new(redis), server)
    }

    testkit::room_log_contract!(fixture);
    testkit::directory_contract!(fixture);
    testkit::accounts_contract!(fixture);
    testkit::presence_contract!(fixture);
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

    async fn fixture() -> Backend {
        static TEST: AtomicU32 = AtomicU32::new(0);
        let prefix = format!("test-{}:", TEST.fetch_add(1, Ordering::Relaxed));
        let cluster = cluster();
        let redis = backend::Redis::open_with_prefix(&cluster.url(), &prefix).await;
        let redis = redis.expect("an empty cluster can be opened");
        Backend::new(redis.clone(), Arc::new(redis), cluster)
    }

    testkit::room_log_contract!(fixture);
    testkit::directory_contract!(fixture);
    testkit::accounts_contract!(fixture);
    testkit::presence_contract!(fixture);
}
