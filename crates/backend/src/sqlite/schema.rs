//! The database's tables and their versions: which databases can be opened, and how older ones are migrated.

use std::path::Path;
use std::time::Duration;

use chat::title_key;
use protocol::RoomTitle;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use sha2::{Digest, Sha256};

use super::error::OpenError;

/// "Hubb": marks the file as Hubbub's, also for `file(1)`.
const APPLICATION_ID: i32 = 0x4875_6262;

/// One migration per version. Never change a released one; add another.
const MIGRATIONS: [&str; 3] = [
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
];

/// The version after all migrations.
const KNOWN: u32 = MIGRATIONS.len() as u32;

/// Opens the database for writing and migrates it. Checks it through a read-only connection first, so that a database
/// that is refused stays unchanged.
pub fn open(path: &Path) -> Result<Connection, OpenError> {
    let failed = |cause: rusqlite::Error| match cause.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::Foreign {
            path: path.to_owned(),
        },
        _ => OpenError::Database {
            path: path.to_owned(),
            cause,
        },
    };
    let found = match connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY).and_then(|look| version(&look)) {
        Ok(Some(found)) if found <= KNOWN => found,
        Ok(Some(found)) => {
            return Err(OpenError::Newer {
                path: path.to_owned(),
                found,
                known: KNOWN,
            });
        }
        Ok(None) => {
            return Err(OpenError::Foreign {
                path: path.to_owned(),
            });
        }
        Err(error) => return Err(failed(error)),
    };
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)?;
    let journal = tune(&connection).map_err(failed)?;
    if journal != "wal" {
        return Err(OpenError::FileSystem {
            path: path.to_owned(),
        });
    }
    migrate(&mut connection, found).map_err(failed)?;
    Ok(connection)
}

/// Opens a connection, for one thread at a time, with the settings that every connection needs.
pub fn connect(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // 2 MiB of page cache for each of the five connections. Up to 256 MiB are read from the system's cache without
    // copying, so more would only take memory.
    connection.pragma_update(None, "cache_size", -2_048)?;
    connection.pragma_update_and_check(None, "mmap_size", 256 << 20, |_| Ok(()))?;
    Ok(connection)
}

/// Sets what the writing connection needs. Returns the journal mode that the database has now.
fn tune(connection: &Connection) -> rusqlite::Result<String> {
    let journal = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    // An acknowledgement means stored, so every commit waits for the disk.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Checkpoint every 16 MiB: pages written many times until then are copied to the database once.
    connection.pragma_update(None, "wal_autocheckpoint", 4_096)?;
    // Shrink the write-ahead log after a burst.
    connection.pragma_update_and_check(None, "journal_size_limit", 64 << 20, |_| Ok(()))?;
    Ok(journal)
}

/// The database's version: 0 for an empty file, `None` if it is not Hubbub's.
pub fn version(connection: &Connection) -> rusqlite::Result<Option<u32>> {
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: u32 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(match (application, version, tables) {
        (APPLICATION_ID, version, _) => Some(version),
        (0, 0, 0) => Some(0),
        _ => None,
    })
}

/// Earlier versions stored tokens in plain text.
const WIPES_TOKENS: u32 = 2;

/// Migrates the database. Each step is one transaction, so the next start continues after a crash.
fn migrate(connection: &mut Connection, found: u32) -> rusqlite::Result<()> {
    if found as usize == MIGRATIONS.len() {
        return Ok(());
    }
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("sha256", 1, flags, |context| {
        let text = context.get_raw(0).as_str()?;
        Ok(Sha256::digest(text).to_vec())
    })?;
    connection.create_scalar_function("title_key", 1, flags, |context| {
        Ok(title_key(&RoomTitle::kept(context.get(0)?)))
    })?;
    for (sql, version) in MIGRATIONS.iter().zip(1..).skip(found as usize) {
        let step: u32 = version;
        if step == WIPES_TOKENS && found > 0 {
            // Free pages, and pages whose rows have moved, still contain old bytes.
            connection.execute_batch("VACUUM")?;
        }
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", step)?;
        transaction.commit()?;
    }
    connection.remove_function("sha256", 1)?;
    connection.remove_function("title_key", 1)?;
    // Until the checkpoint, only the write-ahead log is wiped, not the file. If another process reads the database now,
    // the last connection to close does the checkpoint.
    connection.pragma_update_and_check(None, "wal_checkpoint", "TRUNCATE", |_| Ok(()))
}
