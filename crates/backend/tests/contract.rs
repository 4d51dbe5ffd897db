//! Every backend passes the contract of every port.

use testkit::Backend;

mod embedded {
    use super::*;

    async fn fixture() -> Backend {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let embedded = backend::Embedded::open(folder.path()).expect("an empty folder can be opened");
        Backend::new(embedded, folder)
    }

    testkit::room_log_contract!(fixture);
    testkit::directory_contract!(fixture);
    testkit::accounts_contract!(fixture);
    testkit::presence_contract!(fixture);
}

mod redis {
    use super::*;

    async fn fixture() -> Backend {
        let server = testkit::RedisServer::start();
        let redis = backend::Redis::open(&server.url()).await;
        Backend::new(redis.expect("an empty Redis can be opened"), server)
    }

    testkit::room_log_contract!(fixture);
    testkit::directory_contract!(fixture);
    testkit::accounts_contract!(fixture);
    testkit::presence_contract!(fixture);
}

mod redis_cluster {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::{Arc, Mutex, PoisonError, Weak};

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
        Backend::new(redis.expect("an empty cluster can be opened"), cluster)
    }

    testkit::room_log_contract!(fixture);
    testkit::directory_contract!(fixture);
    testkit::accounts_contract!(fixture);
    testkit::presence_contract!(fixture);
}
