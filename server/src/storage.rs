//! The storage: the data folder, or a Redis that all replicas share.

use std::path::Path;
use std::sync::Arc;

use backend::{Embedded, RandomIds, Redis, SystemClock, Vitals};
use chat::StoreError;
use chat::hub::Ports;
use chat::ports::{Accounts, Directory, Presence, RoomLog};

use crate::session::{Sessions, fresh_key};

/// Name of the secret in Redis that signs session cookies.
const SESSION_SECRET: &str = "session";

/// The backend that the configuration chose. Cloning gives another handle to it.
#[derive(Clone)]
pub enum Storage {
    /// One process, one data folder.
    Embedded(Embedded),
    /// Any number of replicas.
    Redis(Redis),
}

impl Storage {
    /// Opens the storage.
    ///
    /// # Errors
    /// A sentence that says what cannot be used and why.
    pub async fn open(redis_url: Option<&str>, data_dir: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        match redis_url {
            None => Ok(Self::Embedded(Embedded::open(data_dir)?)),
            Some(url) => match Redis::open(url).await {
                Ok(redis) => Ok(Self::Redis(redis)),
                Err(error) => Err(format!("HUBBUB_REDIS_URL: {error}").into()),
            },
        }
    }

    /// The threads and tasks without which nothing can be stored.
    pub fn vitals(&self) -> Vitals {
        match self {
            Self::Embedded(embedded) => embedded.vitals().clone(),
            // The Redis backend restarts its own tasks.
            Self::Redis(_) => Vitals::default(),
        }
    }

    /// The ports for the hub.
    pub fn ports(&self) -> Ports {
        match self {
            Self::Embedded(embedded) => ports(embedded),
            Self::Redis(redis) => ports(redis),
        }
    }

    /// Checks that the storage accepts a write and reads it back.
    ///
    /// # Errors
    /// The error of the storage.
    pub async fn check(&self) -> Result<(), StoreError> {
        match self {
            Self::Embedded(embedded) => embedded.check().await,
            Self::Redis(redis) => redis.check().await,
        }
    }

    /// Session cookies, signed with the configured secret, or with one that the storage keeps.
    ///
    /// # Errors
    /// If the secret cannot be read or created.
    pub async fn sessions(
        &self,
        configured: Option<&str>,
        data_dir: &Path,
    ) -> Result<Sessions, Box<dyn std::error::Error>> {
        match (configured, self) {
            (Some(secret), _) => Ok(Sessions::configured(secret)),
            (None, Self::Embedded(_)) => Ok(Sessions::kept_in(data_dir)?),
            (None, Self::Redis(redis)) => {
                let key = redis.shared_secret(SESSION_SECRET, &fresh_key()?).await?;
                Ok(Sessions::with_key(&key)
                    .ok_or("the session key in Redis is damaged; remove it, or set HUBBUB_SESSION_KEY")?)
            }
        }
    }

    /// Finishes pending work and closes the storage.
    pub async fn close(&self) {
        match self {
            Self::Embedded(embedded) => embedded.close().await,
            Self::Redis(redis) => redis.close().await,
        }
    }
}

fn ports<B>(backend: &B) -> Ports
where
    B: RoomLog + Directory + Accounts + Presence + Clone + 'static,
{
    Ports {
        log: Arc::new(backend.clone()),
        directory: Arc::new(backend.clone()),
        accounts: Arc::new(backend.clone()),
        presence: Arc::new(backend.clone()),
        clock: Arc::new(SystemClock),
        ids: Arc::new(RandomIds),
    }
}
