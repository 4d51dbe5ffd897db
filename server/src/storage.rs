//! The storage: the data folder, a PostgreSQL database, or a Redis that all replicas share.

use std::path::Path;
use std::sync::Arc;

use backend::{Local, Postgres, RandomIds, Redis, Sharing, Sqlite, SystemClock, Vitals};
use chat::StoreError;
use chat::hub::Ports;
use chat::ports::{Accounts, Directory, Presence, RoomLog};

use crate::session::{Sessions, fresh_key};

/// Name of the secret in the database that signs session cookies.
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
    /// One process, one PostgreSQL database.
    Database {
        /// The database.
        postgres: Postgres,
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
    pub async fn open(
        database_url: Option<&str>,
        redis_url: Option<&str>,
        data_dir: &Path,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        match (database_url, redis_url) {
            (None, None) => {
                let local = Arc::new(Local::default());
                let sqlite = Sqlite::open(data_dir, local.clone())?;
                Ok(Self::Alone { sqlite, local })
            }
            (Some(url), None) => {
                let local = Arc::new(Local::default());
                match Postgres::open(url, local.clone(), Sharing::Alone).await {
                    Ok(postgres) => Ok(Self::Database { postgres, local }),
                    Err(error) => Err(format!("HUBBUB_DATABASE_URL: {error}").into()),
                }
            }
            (None, Some(url)) => match Redis::open(url).await {
                Ok(redis) => Ok(Self::Redis(redis)),
                Err(error) => Err(format!("HUBBUB_REDIS_URL: {error}").into()),
            },
            (Some(_), Some(_)) => Err("set HUBBUB_DATABASE_URL or HUBBUB_REDIS_URL, not both".into()),
        }
    }

    /// The threads and tasks without which nothing can be stored.
    pub fn vitals(&self) -> Vitals {
        match self {
            Self::Alone { sqlite, .. } => sqlite.vitals().clone(),
            Self::Database { postgres, .. } => postgres.vitals().clone(),
            // The Redis backend restarts its own tasks.
            Self::Redis(_) => Vitals::default(),
        }
    }

    /// The ports for the hub.
    pub fn ports(&self) -> Ports {
        match self {
            Self::Alone { sqlite, local } => ports(sqlite, local.clone()),
            Self::Database { postgres, local } => ports(postgres, local.clone()),
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
            Self::Database { postgres, .. } => postgres.check().await,
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
        let key = match (configured, self) {
            (Some(secret), _) => return Ok(Sessions::configured(secret)),
            (None, Self::Alone { .. }) => return Ok(Sessions::kept_in(data_dir)?),
            (None, Self::Database { postgres, .. }) => {
                postgres.shared_secret(SESSION_SECRET, &fresh_key()?).await?
            }
            (None, Self::Redis(redis)) => redis.shared_secret(SESSION_SECRET, &fresh_key()?).await?,
        };
        Ok(Sessions::with_key(&key)
            .ok_or("the session key in the database is damaged; remove it, or set HUBBUB_SESSION_KEY")?)
    }

    /// Finishes pending work and closes the storage.
    pub async fn close(&self) {
        match self {
            Self::Alone { sqlite, local } => {
                sqlite.close().await;
                local.close();
            }
            Self::Database { postgres, local } => {
                postgres.close().await;
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
