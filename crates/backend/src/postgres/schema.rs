//! The database's tables and their versions: which databases can be opened, and how older ones are migrated.

use super::connection::Connection;
use super::error::{Fault, OLDEST, OpenPostgresError};

/// One migration per version. Never change a released one; add another.
const MIGRATIONS: [&str; 1] = [include_str!("schema/1.sql")];

/// The version after all migrations.
const KNOWN: i32 = MIGRATIONS.len() as i32;

/// All tables.
const TABLES: [&str; 7] = [
    "hubbub", "rooms", "events", "messages", "people", "sessions", "secrets",
];

const SERVER: &str = "\
    SELECT current_setting('server_version_num')::int, current_setting('server_version'),
        pg_encoding_to_char(encoding)::text, current_schema()::text
    FROM pg_database WHERE datname = current_database()";

// Replicas that start together migrate one after the other. The first half of the key is one more than that of the hold.
const LOCK: &str = "\
    SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;
    SELECT pg_advisory_xact_lock(1215652451, hashtext(coalesce(current_schema(), '')))";

const IS_OURS: &str = "SELECT to_regclass('hubbub') IS NOT NULL";

const VERSION: &str = "SELECT version FROM hubbub";

// Extensions may have put something there.
const ANYTHING: &str = "\
    SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace
        AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
    ORDER BY relkind <> 'r', relname LIMIT 1";

const MISSING: &str = "SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NULL LIMIT 1";

const DENIED: &str = "\
    SELECT name || ': ' || denied FROM unnest($1::text[]) AS name, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE'])
        AS denied
    WHERE NOT has_table_privilege(name, denied) LIMIT 1";

/// Checks the server and the database, and migrates it. A database that is refused stays unchanged.
///
/// # Errors
/// One line for the operator.
pub async fn prepare(connection: &Connection, server: &str) -> Result<(), OpenPostgresError> {
    let failed = |fault: Fault| OpenPostgresError::of(server, &fault);
    let unreadable = |error: tokio_postgres::Error| failed(error.into());
    let server_name = || server.to_owned();
    let row = connection.row(SERVER, &[]).await.map_err(failed)?;
    if row.try_get::<_, i32>(0).map_err(unreadable)? / 10_000 < OLDEST {
        return Err(OpenPostgresError::Old {
            server: server_name(),
            found: row.try_get(1).map_err(unreadable)?,
        });
    }
    let encoding: String = row.try_get(2).map_err(unreadable)?;
    if encoding != "UTF8" {
        return Err(OpenPostgresError::Encoding {
            server: server_name(),
            found: encoding,
        });
    }
    if row.try_get::<_, Option<String>>(3).map_err(unreadable)?.is_none() {
        return Err(OpenPostgresError::Forbidden {
            server: server_name(),
            missing: "a schema that it may use".to_owned(),
        });
    }
    connection.run("BEGIN").await.map_err(failed)?;
    connection.run(LOCK).await.map_err(failed)?;
    migrate(connection, server).await?;
    // If it is not reached, the connection is dropped, and PostgreSQL rolls back.
    connection.run("COMMIT").await.map_err(failed)
}

async fn migrate(connection: &Connection, server: &str) -> Result<(), OpenPostgresError> {
    let failed = |fault: Fault| OpenPostgresError::of(server, &fault);
    let unreadable = |error: tokio_postgres::Error| failed(error.into());
    let first = async |sql| {
        let rows = connection.query(sql, &[]).await.map_err(failed)?;
        Ok::<_, OpenPostgresError>(rows.into_iter().next())
    };
    let ours = match first(IS_OURS).await? {
        Some(row) => row.try_get(0).map_err(unreadable)?,
        None => false,
    };
    let found = match (ours, first(if ours { VERSION } else { ANYTHING }).await?) {
        (true, Some(row)) => row.try_get(0).map_err(unreadable)?,
        (false, None) => 0,
        (_, other) => {
            let found = other.map_or(Ok("hubbub".to_owned()), |row| row.try_get(0));
            return Err(OpenPostgresError::Foreign {
                server: server.to_owned(),
                found: found.map_err(unreadable)?,
            });
        }
    };
    if found > KNOWN {
        return Err(OpenPostgresError::Newer {
            server: server.to_owned(),
            found,
            known: KNOWN,
        });
    }
    let done = usize::try_from(found).map_err(|_| OpenPostgresError::Version {
        server: server.to_owned(),
        found,
    })?;
    for sql in MIGRATIONS.iter().skip(done) {
        connection.run(sql).await.map_err(failed)?;
    }
    if found == 0 {
        connection
            .run("INSERT INTO hubbub (version) VALUES (0)")
            .await
            .map_err(failed)?;
    }
    if found < KNOWN {
        connection
            .execute("UPDATE hubbub SET version = $1", &[&KNOWN])
            .await
            .map_err(failed)?;
    }
    let tables = &TABLES[..];
    let missing = connection.query(MISSING, &[&tables]).await.map_err(failed)?;
    if let Some(row) = missing.first() {
        return Err(OpenPostgresError::Lost {
            server: server.to_owned(),
            table: row.try_get(0).map_err(unreadable)?,
        });
    }
    let denied = connection.query(DENIED, &[&tables]).await.map_err(failed)?;
    match denied.first() {
        Some(row) => Err(OpenPostgresError::Forbidden {
            server: server.to_owned(),
            missing: row.try_get(0).map_err(unreadable)?,
        }),
        None => Ok(()),
    }
}
