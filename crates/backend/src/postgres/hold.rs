//! The hold on the database: a lock of the writer's own connection.
//!
//! A process that runs alone holds it for itself; replicas share it. Because the connection that writes is the one that
//! holds the lock, nobody writes without it: if the connection is lost, the lock is, and the next connection must take
//! it before it writes.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::connection::Connection;
use super::error::Fault;

/// A predecessor that was killed keeps its lock until PostgreSQL notices its end.
const PREDECESSOR: Duration = Duration::from_secs(3);

/// Whether other processes use the database too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// This process is the only one. A second one is refused.
    Alone,
    /// Any number of replicas, which tell each other what they store.
    Replicas,
}

/// The result of trying to take the hold.
pub enum Hold {
    /// The connection has it, through this backend of PostgreSQL.
    Taken(i32),
    /// An earlier connection of this process has it. PostgreSQL has not noticed its end yet.
    Ghost,
    /// Another process has it.
    Refused,
}

/// "Hubb". The second half of the lock's key is the schema, so that each of a database's schemas has its own.
macro_rules! key {
    () => {
        "1215652450, hashtext(coalesce(current_schema(), ''))"
    };
}

/// A room that another process has locked must not stop all others for long.
const LOCKS: &str = "SET lock_timeout = '1s'";

const ALONE: &str = concat!("SELECT pg_backend_pid(), pg_try_advisory_lock(", key!(), ")");
const SHARED: &str = concat!(
    "SELECT pg_backend_pid(), pg_try_advisory_lock_shared(",
    key!(),
    ")"
);

const HOLDERS: &str = "\
    SELECT pid FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = 1215652450
        AND objid = (hashtext(coalesce(current_schema(), ''))::bigint & 4294967295)::oid
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// Prepares a connection for writing and tries to take the hold. `earlier` are the backends of this process' earlier
/// connections.
pub async fn take(connection: &Connection, sharing: Sharing, earlier: &[i32]) -> Result<Hold, Fault> {
    connection.run(LOCKS).await?;
    let sql = match sharing {
        Sharing::Alone => ALONE,
        Sharing::Replicas => SHARED,
    };
    let row = connection.row(sql, &[]).await?;
    if row.try_get(1)? {
        return Ok(Hold::Taken(row.try_get(0)?));
    }
    for row in connection.query(HOLDERS, &[]).await? {
        if !earlier.contains(&row.try_get(0)?) {
            return Ok(Hold::Refused);
        }
    }
    Ok(Hold::Ghost)
}

/// Takes the hold when the process starts. Returns the backend, or `None` if another process has the hold and keeps it.
pub async fn take_at_start(connection: &Connection, sharing: Sharing) -> Result<Option<i32>, Fault> {
    let begun = Instant::now();
    loop {
        match take(connection, sharing, &[]).await? {
            Hold::Taken(backend) => return Ok(Some(backend)),
            Hold::Ghost | Hold::Refused if begun.elapsed() < PREDECESSOR => {
                sleep(Duration::from_millis(100)).await;
            }
            Hold::Ghost | Hold::Refused => return Ok(None),
        }
    }
}
