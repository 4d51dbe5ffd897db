//! One contract suite for every backend: the prose of `chat::ports` as tests.
//!
//! A backend runs it with one line per port:
//!
//! ```text
//! testkit::room_log_contract!(fixture);
//! testkit::directory_contract!(fixture);
//! testkit::accounts_contract!(fixture);
//! testkit::presence_contract!(fixture);
//! testkit::bus_contract!(wire);
//! ```
//!
//! where `fixture` is an `async fn() -> testkit::Backend` that returns a new, empty backend for each test, and `wire` an
//! `async fn() -> testkit::Wire`.
//! Tests never sleep: they wait for what must happen, and [`within`] fails them if it does not.

pub mod backend;
pub mod checker;
pub mod contract;
pub mod kept;
pub mod postgres_server;
pub mod proxy;
pub mod random;
pub mod redis_server;
pub mod sample;
pub mod silent;
pub mod tap;

pub use backend::Backend;
pub use contract::bus::{End, Wire};
pub use kept::assert_kept;
pub use postgres_server::PostgresServer;
pub use proxy::Proxy;
pub use redis_server::{RedisCluster, RedisServer};
pub use silent::Silent;
pub use tap::Taps;

use std::net::TcpListener;
use std::time::{Duration, Instant};

/// How long one test may take on a slow machine with all cores busy.
const LIMIT: Duration = Duration::from_secs(60);

/// A port that is free at the moment.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it has an address").port()
}

/// Fails a test that waits for something that never happens.
///
/// # Panics
/// If the test takes longer than a minute.
pub async fn within<T>(test: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, test)
        .await
        .expect("the test waits for something that does not happen")
}

/// Waits until a condition is true. Returns how long that took.
///
/// # Panics
/// If it takes longer than `limit`.
pub async fn until(what: &str, limit: Duration, mut condition: impl AsyncFnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !condition().await {
        assert!(begun.elapsed() < limit, "{what}: not within {limit:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    begun.elapsed()
}

/// One `#[tokio::test]` for each contract listed.
#[doc(hidden)]
#[macro_export]
macro_rules! contract_tests {
    ($port:ident, $fixture:ident, $($contract:ident)*) => {
        mod $port {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $contract() {
                    $crate::within(async {
                        let backend = super::$fixture().await;
                        $crate::contract::$port::$contract(&backend).await;
                    })
                    .await;
                }
            )*
        }
    };
}
