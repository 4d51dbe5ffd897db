//! Why a Redis cannot be used, and why it did not answer.

use std::sync::Arc;

use ::redis::RedisError;

/// Why a Redis cannot be used, in one line for whoever runs the server. The cause is in the line, the password never.
#[derive(Debug, thiserror::Error)]
pub enum OpenRedisError {
    /// The URL is none.
    #[error(
        "the Redis URL {what}; expected redis://host:6379, rediss://host:6379 (TLS) and \
         redis-cluster://host:port,host:port, each with user:password@ before the host if needed"
    )]
    Url {
        /// What is wrong with it. Not what it says: it may hold a password.
        what: &'static str,
    },
    /// Nothing answers there, or not in time.
    #[error("cannot reach Redis at {server}: {cause}")]
    Unreachable {
        /// Host and port.
        server: String,
        /// What the system or Redis says.
        cause: String,
    },
    /// The URL has no password, and Redis wants one.
    #[error("Redis at {server} requires a password; put it into the URL: redis://:password@host:6379")]
    PasswordMissing {
        /// Host and port.
        server: String,
    },
    /// Redis does not take the URL's password.
    #[error("Redis at {server} does not accept the user or password in the URL")]
    PasswordWrong {
        /// Host and port.
        server: String,
    },
    /// Too old for sharded channels.
    #[error("Redis at {server} is version {found}; hubbub needs 7.0 or newer")]
    Old {
        /// Host and port.
        server: String,
        /// Its version.
        found: String,
    },
    /// A replica of another Redis, which takes no writes.
    #[error("Redis at {server} is a read-only replica; use the URL of its primary")]
    ReadOnly {
        /// Host and port.
        server: String,
    },
    /// Its memory limit is reached, and it throws nothing away.
    #[error("Redis at {server} is out of memory (maxmemory); give it more")]
    Full {
        /// Host and port.
        server: String,
    },
    /// Several servers are named that are not a cluster.
    #[error("Redis at {server} is not part of a cluster; use redis:// with one host")]
    NoCluster {
        /// Host and port.
        server: String,
    },
    /// The cluster does not serve all slots, or says nothing of where they are.
    #[error("the Redis cluster at {server} is not complete: {cause}")]
    Incomplete {
        /// Host and port.
        server: String,
        /// What is missing.
        cause: String,
    },
    /// Something else has keys under our prefix. Nothing was changed.
    #[error(
        "Redis at {server} has keys that look like hubbub's but are not, such as {key}; use another \
         database or Redis"
    )]
    Foreign {
        /// Host and port.
        server: String,
        /// One of them.
        key: String,
    },
    /// A newer Hubbub wrote what is there. Nothing was changed.
    #[error(
        "the data in Redis at {server} has format {found}, and this hubbub knows format {known}; run the newer \
         hubbub that wrote it"
    )]
    Newer {
        /// Host and port.
        server: String,
        /// Its format.
        found: String,
        /// The format known here.
        known: &'static str,
    },
    /// The user in the URL may not do all that hubbub does.
    #[error(
        "Redis at {server} denies the user in the URL rights that hubbub needs; grant them: ACL SETUSER <user> \
         {missing}"
    )]
    Forbidden {
        /// Host and port.
        server: String,
        /// Rules of `ACL SETUSER`.
        missing: String,
    },
    /// Redis refuses a command that hubbub needs.
    #[error("Redis at {server} refuses a command that hubbub needs: {cause}")]
    Refused {
        /// Host and port.
        server: String,
        /// What Redis says.
        cause: String,
    },
}

/// There is no answer: whether the command was carried out is not known.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unanswered {
    /// It cannot be reached.
    #[error("Redis cannot be reached: {0}")]
    Away(#[source] Arc<RedisError>),
    /// It did not answer in time.
    #[error("Redis did not answer in time")]
    Late,
    /// This backend was closed.
    #[error("the connection to Redis is closed")]
    Closed,
    /// No server of the cluster has the slot.
    #[error("no server of the Redis cluster has slot {0}")]
    NoServer(u16),
}

/// What is stored is not what was written: somebody else wrote, or Redis threw a part away.
#[derive(Debug, thiserror::Error)]
#[error("Redis holds something that hubbub did not write: {0}")]
pub struct Spoiled(pub &'static str);

/// Commands are answered, but what a server publishes does not arrive.
#[derive(Debug, thiserror::Error)]
#[error("what Redis at {0} publishes is not heard")]
pub struct Deaf(pub String);
