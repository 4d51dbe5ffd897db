//! The storage: the data folder, or a Redis that all replicas share.

use std::path::Path;
use std::sync::Arc;

use backend::{Local, RandomIds, Redis, Sqlite, SystemClock, Vitals};
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
    Alone {
        /// The data folder's database.
        sqlite: Sqlite,
        /// What the process tells itself.
        local: Arc<Local>,
    },
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
            None => {
                let local = Arc::new(Local::default());
                let sqlite = Sqlite::open(data_dir, local.clone())?;
                Ok(Self::Alone { sqlite, local })
            }
            Some(url) => match Redis::open(url).await {
                Ok(redis) => Ok(Self::Redis(redis)),
                Err(error) => Err(format!("HUBBUB_REDIS_URL: {error}").into()),
            },
        }
    }

    /// The threads and tasks without which nothing can be stored.
    pub fn vitals(&self) -> Vitals {
        match self {
            Self::Alone { sqlite, .. } => sqlite.vitals().clone(),
            // The Redis backend restarts its own tasks.
            Self::Redis(_) => Vitals::default(),
        }
    }

    /// The ports for the hub.
    pub fn ports(&self) -> Ports {
        match self {
            Self::Alone { sqlite, local } => ports(sqlite, local.clone()),
            Self::Redis(redis) => ports(redis, Arc::new(redis.clone())),
        }
    }

    /// Checks that the storage accepts a write and reads it back.
    ///
    /// # Errors
    /// The error of the storage.
    pub async fn check(&self) -> Result<(), StoreError> {
        match self {
            Self::Alone { sqlite, .. } => sqlite.check().await,
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
            (None, Self::Alone { .. }) => Ok(Sessions::kept_in(data_dir)?),
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
            Self::Alone { sqlite, local } => {
                sqlite.close().await;
                local.close();
            }
            Self::Redis(redis) => redis.close().await,
        }
    }
}

fn ports<T>(truth: &T, presence: Arc<dyn Presence>) -> Ports
where
    T: RoomLog + Directory + Accounts + Clone + 'static,
{
    let truth = Arc::new(truth.clone());
    Ports {
        log: truth.clone(),
        directory: truth.clone(),
        accounts: truth,
        presence,
        clock: Arc::new(SystemClock),
        ids: Arc::new(RandomIds),
    }
}
