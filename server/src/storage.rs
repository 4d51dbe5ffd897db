//! The storage: a truth, which keeps, and a bus, which tells. One process uses a data folder or a PostgreSQL database;
//! replicas share a database, and a Redis through which they tell each other.

use std::path::Path;
use std::sync::Arc;

use backend::{Local, Postgres, RandomIds, Redis, Sharing, Sqlite, SystemClock, Vitals};
use chat::StoreError;
use chat::hub::Ports;
use chat::ports::{Accounts, Directory, Presence, RoomLog};

use crate::session::{Sessions, fresh_key};

/// Name of the secret in the database that signs session cookies.
pub const SESSION_SECRET: &str = "session";

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
    Replicas {
        /// The database that they share.
        postgres: Postgres,
        /// What they tell each other.
        redis: Redis,
    },
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
        let of_database = |error| format!("HUBBUB_DATABASE_URL: {error}");
        match (database_url, redis_url) {
            (None, None) => {
                let local = Arc::new(Local::default());
                let sqlite = Sqlite::open(data_dir, local.clone())?;
                Ok(Self::Alone { sqlite, local })
            }
            (Some(url), None) => {
                let local = Arc::new(Local::default());
                let postgres = Postgres::open(url, local.clone(), Sharing::Alone).await;
                let postgres = postgres.map_err(of_database)?;
                Ok(Self::Database { postgres, local })
            }
            (Some(url), Some(redis_url)) => {
                let redis = Redis::open(redis_url).await;
                let redis = redis.map_err(|error| format!("HUBBUB_REDIS_URL: {error}"))?;
                let postgres = Postgres::open(url, Arc::new(redis.clone()), Sharing::Replicas).await;
                let postgres = postgres.map_err(of_database)?;
                Ok(Self::Replicas { postgres, redis })
            }
            (None, Some(_)) => Err(
                "HUBBUB_REDIS_URL: replicas share a database, and Redis only tells them what is new; set \
                 HUBBUB_DATABASE_URL as well, or unset HUBBUB_REDIS_URL for one process with a data folder"
                    .into(),
            ),
        }
    }

    /// The threads and tasks without which nothing can be stored.
    pub fn vitals(&self) -> Vitals {
        match self {
            Self::Alone { sqlite, .. } => sqlite.vitals().clone(),
            // Redis restarts its own tasks.
            Self::Database { postgres, .. } | Self::Replicas { postgres, .. } => postgres.vitals().clone(),
        }
    }

    /// The ports for the hub.
    pub fn ports(&self) -> Ports {
        match self {
            Self::Alone { sqlite, local } => ports(sqlite, local.clone()),
            Self::Database { postgres, local } => ports(postgres, local.clone()),
            Self::Replicas { postgres, redis } => ports(postgres, Arc::new(redis.clone())),
        }
    }

    /// Checks that the truth accepts a write and reads it back.
    ///
    /// # Errors
    /// The error of the truth.
    pub async fn check(&self) -> Result<(), StoreError> {
        match self {
            Self::Alone { sqlite, .. } => sqlite.check().await,
            Self::Database { postgres, .. } | Self::Replicas { postgres, .. } => postgres.check().await,
        }
    }

    /// Checks that Redis works, if there is one. The process can serve without it.
    ///
    /// # Errors
    /// The error of Redis.
    pub async fn check_redis(&self) -> Result<(), StoreError> {
        match self {
            Self::Replicas { redis, .. } => redis.check().await,
            Self::Alone { .. } | Self::Database { .. } => Ok(()),
        }
    }

    /// True while other replicas cannot be told anything, as far as is known.
    pub fn misses_redis(&self) -> bool {
        matches!(self, Self::Replicas { redis, .. } if !redis.is_connected())
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
        let postgres = match (configured, self) {
            (Some(secret), _) => return Ok(Sessions::configured(secret)),
            (None, Self::Alone { .. }) => return Ok(Sessions::kept_in(data_dir)?),
            (None, Self::Database { postgres, .. } | Self::Replicas { postgres, .. }) => postgres,
        };
        let key = postgres.shared_secret(SESSION_SECRET, &fresh_key()?).await?;
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
            Self::Replicas { postgres, redis } => {
                // What the database still commits is told to the other replicas.
                postgres.close().await;
                redis.close().await;
            }
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
