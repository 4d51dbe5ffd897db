//! Why a Redis cannot be used, or did not answer.

use std::sync::Arc;

use ::redis::RedisError;

/// Why a Redis cannot be used: one line for the operator, including the cause, and never the password.
#[derive(Debug, thiserror::Error)]
pub enum OpenRedisError {
    /// Not a valid Redis URL.
    #[error(
        "the Redis URL {what}; expected redis://host:6379, rediss://host:6379 (TLS) and \
         redis-cluster://host:port,host:port, each with user:password@ before the host if needed"
    )]
    Url {
        /// What is wrong with the URL. Does not quote it, because it may contain a password.
        what: &'static str,
    },
    /// The server does not answer, or not in time.
    #[error("cannot reach Redis at {server}: {cause}")]
    Unreachable {
        /// Host and port.
        server: String,
        /// The error of the system or of Redis.
        cause: String,
    },
    /// Redis requires a password, and the URL has none.
    #[error("Redis at {server} requires a password; put it into the URL: redis://:password@host:6379")]
    PasswordMissing {
        /// Host and port.
        server: String,
    },
    /// Redis does not accept the user or password in the URL.
    #[error("Redis at {server} does not accept the user or password in the URL")]
    PasswordWrong {
        /// Host and port.
        server: String,
    },
    /// Redis is too old for sharded channels.
    #[error("Redis at {server} is version {found}; hubbub needs 7.0 or newer")]
    Old {
        /// Host and port.
        server: String,
        /// The server's version.
        found: String,
    },
    /// The server is a read-only replica of another Redis.
    #[error("Redis at {server} is a read-only replica; use the URL of its primary")]
    ReadOnly {
        /// Host and port.
        server: String,
    },
    /// Redis has reached its memory limit and evicts nothing.
    #[error("Redis at {server} is out of memory (maxmemory); give it more")]
    Full {
        /// Host and port.
        server: String,
    },
    /// The URL is for a cluster, but the server is not part of one.
    #[error("Redis at {server} is not part of a cluster; use redis:// with one host")]
    NoCluster {
        /// Host and port.
        server: String,
    },
    /// The cluster does not serve all slots, or does not say where they are.
    #[error("the Redis cluster at {server} is not complete: {cause}")]
    Incomplete {
        /// Host and port.
        server: String,
        /// What is missing.
        cause: String,
    },
    /// Other software has keys with our prefix. Nothing was changed.
    #[error(
        "Redis at {server} has keys that look like hubbub's but are not, such as {key}; use another \
         database or Redis"
    )]
    Foreign {
        /// Host and port.
        server: String,
        /// One of those keys.
        key: String,
    },
    /// A newer Hubbub wrote the data. Nothing was changed.
    #[error(
        "the data in Redis at {server} has format {found}, and this hubbub knows format {known}; run the newer \
         hubbub that wrote it"
    )]
    Newer {
        /// Host and port.
        server: String,
        /// The format of the data.
        found: String,
        /// The format that this build knows.
        known: &'static str,
    },
    /// The user in the URL lacks rights that Hubbub needs.
    #[error(
        "Redis at {server} denies the user in the URL rights that hubbub needs; grant them: ACL SETUSER <user> \
         {missing}"
    )]
    Forbidden {
        /// Host and port.
        server: String,
        /// The rules to add with `ACL SETUSER`.
        missing: String,
    },
    /// Redis refuses a command that hubbub needs.
    #[error("Redis at {server} refuses a command that hubbub needs: {cause}")]
    Refused {
        /// Host and port.
        server: String,
        /// Redis' error.
        cause: String,
    },
}

/// Redis did not answer. Whether the command was carried out is unknown.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unanswered {
    /// Redis cannot be reached.
    #[error("Redis cannot be reached: {0}")]
    Away(#[source] Arc<RedisError>),
    /// Redis did not answer in time.
    #[error("Redis did not answer in time")]
    Late,
    /// This backend was closed.
    #[error("the connection to Redis is closed")]
    Closed,
    /// No server of the cluster has the slot.
    #[error("no server of the Redis cluster has slot {0}")]
    NoServer(u16),
}

/// What Redis holds is not what Hubbub wrote: other software changed it, or Redis evicted a part.
#[derive(Debug, thiserror::Error)]
#[error("Redis holds something that hubbub did not write: {0}")]
pub struct Spoiled(pub &'static str);

/// A server answers commands, but nothing that it publishes arrives.
#[derive(Debug, thiserror::Error)]
#[error("messages that Redis at {0} publishes do not arrive")]
pub struct Deaf(pub String);
