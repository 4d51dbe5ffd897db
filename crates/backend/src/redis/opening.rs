//! Checks a Redis before it is used.

use std::collections::HashMap;

use ::redis::aio::MultiplexedConnection;
use ::redis::{Client, Cmd, ConnectionAddr, ConnectionInfo, ErrorKind, RedisError, ServerErrorKind};

use super::error::OpenRedisError;
use super::keys::{Keys, slot};
use super::slots::Range;
use super::url::Target;
use super::{link, rights, slots};

/// The format of the keys that this build reads and writes.
const FORMAT: &str = "2";
/// The format of a Hubbub that kept its log in Redis. Its keys for presence are the same.
const WITH_LOG: &str = "1";
/// The oldest Redis with sharded channels.
const OLDEST: u64 = 7;
/// Keys per step, and most steps, when searching for keys that are not ours.
const SCAN: (usize, usize) = (1_000, 1_000);

/// A server that has been reached.
struct Reached {
    connection: MultiplexedConnection,
    server: String,
    /// The answer to `INFO`.
    info: HashMap<String, String>,
}

/// Checks everything and claims the keys. Returns the target and, for a cluster, its slots.
pub async fn examine(mut target: Target, keys: &Keys) -> Result<(Target, Vec<Range>), OpenRedisError> {
    if target
        .servers
        .iter()
        .any(|info| matches!(info.addr(), ConnectionAddr::TcpTls { .. }))
    {
        // Fails if the process already has one, which is just as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let mut first = first(&target.servers).await?;
    let is_cluster = first.is("cluster_enabled", "1");
    if target.cluster && !is_cluster {
        return Err(OpenRedisError::NoCluster { server: first.server });
    }
    target.cluster = is_cluster;
    if !is_cluster {
        first.check_primary()?;
        let mut all = [first];
        check_rights(&mut all, keys, false).await?;
        claim(&mut all, 0, keys).await?;
        warn_of_log(&mut all, 0, keys).await?;
        return Ok((target, vec![]));
    }
    let ranges = slots::ask(&mut first.connection, &first.server).await;
    let ranges = ranges.map_err(|error| refusal(&first.server, &error))?;
    let mut primaries: Vec<Reached> = Vec::new();
    let wanted = [keys.format(), keys.old_rooms()].map(|key| slot(&key));
    let mut holders = [None; 2];
    for range in &ranges {
        let known = primaries
            .iter()
            .position(|primary| primary.server == range.address);
        let index = match known {
            Some(index) => index,
            None => {
                let info = target
                    .at(&range.address)
                    .ok_or_else(|| OpenRedisError::Incomplete {
                        server: first.server.clone(),
                        cause: "a server has no address".to_owned(),
                    })?;
                primaries.push(reach(info).await?);
                primaries.len() - 1
            }
        };
        for (slot, holder) in wanted.iter().zip(&mut holders) {
            if (range.first..=range.last).contains(slot) {
                *holder = Some(index);
            }
        }
    }
    let [Some(holder), Some(old)] = holders else {
        return Err(OpenRedisError::Incomplete {
            server: first.server,
            cause: "not every slot has a server".to_owned(),
        });
    };
    check_rights(&mut primaries, keys, true).await?;
    claim(&mut primaries, holder, keys).await?;
    warn_of_log(&mut primaries, old, keys).await?;
    Ok((target, ranges))
}

/// Checks that the user has all rights that Hubbub needs, on every server.
async fn check_rights(servers: &mut [Reached], keys: &Keys, cluster: bool) -> Result<(), OpenRedisError> {
    for reached in servers {
        let missing = rights::missing(&mut reached.connection, keys, cluster).await;
        let missing = missing.map_err(|error| refusal(&reached.server, &error))?;
        if !missing.is_empty() {
            return Err(OpenRedisError::Forbidden {
                server: reached.server.clone(),
                missing,
            });
        }
    }
    Ok(())
}

/// A harmless write that shows whether a server accepts writes.
pub fn write(keys: &Keys) -> Cmd {
    let mut set = ::redis::cmd("SET");
    set.arg(keys.format()).arg(FORMAT);
    set
}

/// The first server that answers.
async fn first(servers: &[ConnectionInfo]) -> Result<Reached, OpenRedisError> {
    let mut refused = OpenRedisError::Url {
        what: "names no server",
    };
    for info in servers {
        match reach(info.clone()).await {
            Ok(reached) => return Ok(reached),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

async fn reach(info: ConnectionInfo) -> Result<Reached, OpenRedisError> {
    let server = info.addr().to_string();
    let refused = |error: RedisError| refusal(&server, &error);
    let client = Client::open(info).map_err(refused)?;
    let mut connection = link::connect(&client, &link::config(|_| {}))
        .await
        .map_err(refused)?;
    let lines: String = ::redis::cmd("INFO")
        .query_async(&mut connection)
        .await
        .map_err(refused)?;
    let fields = lines.lines().filter_map(|line| line.trim().split_once(':'));
    let info = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let reached = Reached {
        info: info.collect(),
        connection,
        server: server.clone(),
    };
    reached.check_version()?;
    reached.warn();
    Ok(reached)
}

impl Reached {
    fn is(&self, name: &str, value: &str) -> bool {
        self.info.get(name).is_some_and(|found| found == value)
    }

    fn check_version(&self) -> Result<(), OpenRedisError> {
        let found = self.info.get("redis_version").map_or("unknown", String::as_str);
        if supported(found) {
            return Ok(());
        }
        Err(OpenRedisError::Old {
            server: self.server.clone(),
            found: found.to_owned(),
        })
    }

    fn check_primary(&self) -> Result<(), OpenRedisError> {
        if self.is("role", "slave") && !self.is("slave_read_only", "0") {
            return Err(OpenRedisError::ReadOnly {
                server: self.server.clone(),
            });
        }
        Ok(())
    }

    /// Warns of settings under which lists of people can be wrong.
    fn warn(&self) {
        let server = &self.server;
        if let Some(policy) = self
            .info
            .get("maxmemory_policy")
            .filter(|policy| *policy != "noeviction")
        {
            tracing::warn!(
                %server, %policy,
                "Redis evicts keys when memory is short, and lists of people may be wrong then; set maxmemory-policy \
                 noeviction"
            );
        }
    }
}

/// True if a version is new enough. Valkey reports the Redis version that it is compatible with.
fn supported(version: &str) -> bool {
    let major = version.split('.').next();
    major
        .and_then(|major| major.parse::<u64>().ok())
        .is_some_and(|major| major >= OLDEST)
}

/// Checks that the keys are ours or that there are none yet, and that they can be written.
async fn claim(servers: &mut [Reached], holder: usize, keys: &Keys) -> Result<(), OpenRedisError> {
    if format(servers, holder, keys).await?.is_none()
        && let Some((server, key)) = foreign(servers, keys).await?
        // Another replica may have claimed them just now.
        && format(servers, holder, keys).await?.is_none()
    {
        return Err(OpenRedisError::Foreign { server, key });
    }
    let Some(holder) = servers.get_mut(holder) else {
        return Ok(());
    };
    // Write it even if it exists, to check that writing works.
    let written = write(keys).query_async::<()>(&mut holder.connection).await;
    written.map_err(|error| refusal(&holder.server, &error))
}

/// Names a log that an earlier Hubbub kept in this Redis, and leaves it alone.
async fn warn_of_log(servers: &mut [Reached], holder: usize, keys: &Keys) -> Result<(), OpenRedisError> {
    let Some(holder) = servers.get_mut(holder) else {
        return Ok(());
    };
    let mut exists = ::redis::cmd("EXISTS");
    let found = exists
        .arg(keys.old_rooms())
        .query_async(&mut holder.connection)
        .await;
    if found.map_err(|error| refusal(&holder.server, &error))? {
        tracing::warn!(
            server = %holder.server, key = %keys.old_rooms(),
            "Redis holds messages of an earlier hubbub, which stored them there; this hubbub stores them in the \
             database and leaves those alone"
        );
    }
    Ok(())
}

/// The format of the data, if there is any.
async fn format(
    servers: &mut [Reached],
    holder: usize,
    keys: &Keys,
) -> Result<Option<String>, OpenRedisError> {
    let Some(holder) = servers.get_mut(holder) else {
        return Ok(None);
    };
    let mut get = ::redis::cmd("GET");
    let found = get.arg(keys.format()).query_async(&mut holder.connection).await;
    let found: Option<String> = found.map_err(|error| refusal(&holder.server, &error))?;
    match found {
        Some(found) if found != FORMAT && found != WITH_LOG => Err(OpenRedisError::Newer {
            server: holder.server.clone(),
            found,
            known: FORMAT,
        }),
        found => Ok(found),
    }
}

/// A key with our prefix, and the server that has it.
async fn foreign(servers: &mut [Reached], keys: &Keys) -> Result<Option<(String, String)>, OpenRedisError> {
    for reached in servers {
        let mut cursor = "0".to_owned();
        for _ in 0..SCAN.1 {
            let mut scan = ::redis::cmd("SCAN");
            scan.arg(&cursor)
                .arg("MATCH")
                .arg(keys.all())
                .arg("COUNT")
                .arg(SCAN.0);
            let found = scan.query_async(&mut reached.connection).await;
            let found: (String, Vec<String>) = found.map_err(|error| refusal(&reached.server, &error))?;
            if let Some(key) = found.1.into_iter().next() {
                return Ok(Some((reached.server.clone(), key)));
            }
            cursor = found.0;
            if cursor == "0" {
                break;
            }
        }
    }
    Ok(None)
}

/// Converts an error into one for the operator.
fn refusal(server: &str, error: &RedisError) -> OpenRedisError {
    let server = server.to_owned();
    // One line, and nothing that was sent.
    let cause = error.to_string().replace(['\n', '\r'], " ");
    match (error.kind(), error.code()) {
        (_, Some("NOAUTH")) => OpenRedisError::PasswordMissing { server },
        (ErrorKind::AuthenticationFailed, _) | (_, Some("WRONGPASS")) => {
            OpenRedisError::PasswordWrong { server }
        }
        (_, Some("OOM")) => OpenRedisError::Full { server },
        (ErrorKind::Server(ServerErrorKind::ReadOnly), _) => OpenRedisError::ReadOnly { server },
        (ErrorKind::RESP3NotSupported, _) => OpenRedisError::Old {
            server,
            found: "older than 6".to_owned(),
        },
        (ErrorKind::Server(ServerErrorKind::BusyLoading | ServerErrorKind::MasterDown), _)
        | (ErrorKind::Io, _) => OpenRedisError::Unreachable { server, cause },
        (ErrorKind::Server(ServerErrorKind::ClusterDown), _) => OpenRedisError::Incomplete { server, cause },
        _ => OpenRedisError::Refused { server, cause },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        for (version, new_enough) in [
            ("7.0.0", true),
            ("7.2.4", true),
            ("10.0.1", true),
            ("6.2.14", false),
            ("unknown", false),
            ("", false),
        ] {
            assert_eq!(supported(version), new_enough, "{version:?}");
        }
    }
}
