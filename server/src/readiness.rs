//! Whether this process should receive traffic.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use backend::Vitals;
use chat::{ChatError, Hub};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::storage::Storage;

/// How long an answer is reused, so that frequent probes cost nothing.
const FRESH: Duration = Duration::from_secs(1);
/// A storage that takes longer than this counts as not ready.
const WITHIN: Duration = Duration::from_secs(2);

/// What the process needs in order to serve, and the storage's latest answer.
pub struct Readiness {
    hub: Hub,
    storage: Storage,
    vitals: Vitals,
    draining: AtomicBool,
    latest: Mutex<Option<(Instant, Answer)>>,
}

type Answer = Result<Ready, &'static str>;

/// How a process can serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// Everything works.
    Fully,
    /// Messages are stored and told here, but Redis does not answer: people on other replicas hear later. If replicas
    /// left the proxy for that, nobody could write at all.
    Alone,
}

impl Readiness {
    /// The readiness of a process that was not probed yet.
    pub fn new(hub: Hub, storage: Storage, vitals: Vitals) -> Self {
        Self {
            hub,
            storage,
            vitals,
            draining: AtomicBool::new(false),
            latest: Mutex::default(),
        }
    }

    /// Reports "not ready" from now on, because the process is stopping.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub fn draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Checks everything that clients depend on.
    ///
    /// # Errors
    /// A line that says what does not work.
    pub async fn check(&self) -> Answer {
        if self.draining() {
            return Err("draining");
        }
        if self.vitals.dead().is_some() {
            return Err("a part of the server has died; it stops");
        }
        // Concurrent probes wait here and share one answer.
        let mut latest = self.latest.lock().await;
        match *latest {
            Some((at, answer)) if at.elapsed() < FRESH => answer,
            _ => {
                let answer = self.ask_storage().await;
                *latest = Some((Instant::now(), answer));
                answer
            }
        }
    }

    async fn ask_storage(&self) -> Answer {
        let storage = async {
            self.storage.check().await?;
            self.hub.check().await?;
            Ok::<_, ChatError>(())
        };
        let asking = async { tokio::join!(storage, self.storage.check_redis()) };
        match timeout(WITHIN, asking).await {
            Ok((Ok(()), Ok(()))) => Ok(Ready::Fully),
            Ok((Ok(()), Err(error))) => {
                tracing::warn!(%error, "Redis fails; people on other replicas hear later");
                Ok(Ready::Alone)
            }
            Ok((Err(error), _)) => {
                tracing::error!(%error, "not ready: the storage fails");
                Err("the storage fails")
            }
            Err(_) => {
                tracing::error!("not ready: the storage does not answer");
                Err("the storage does not answer")
            }
        }
    }
}
