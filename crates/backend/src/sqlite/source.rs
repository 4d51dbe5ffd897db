//! Reads whole tables of a data folder that no server uses, in batches.

use std::path::{Path, PathBuf};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use tokio::sync::mpsc::{self, Receiver};

use super::error::OpenError;
use super::{folder, schema};
use crate::table::{Kind, Row, Table, Value};

/// The most rows in a batch, and the most bytes.
const BATCH: (usize, usize) = (10_000, 2 << 20);
/// The most batches that wait to be used.
const AHEAD: usize = 2;

/// A data folder, locked and migrated as a server would.
pub struct Source {
    database: PathBuf,
    connection: Connection,
    _lock: folder::Lock,
}

/// Why a table cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// SQLite's error.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// The thread that reads has failed.
    #[error("the thread that reads failed: {0}")]
    Thread(tokio::task::JoinError),
    /// A text that PostgreSQL cannot store. Is not quoted.
    #[error(
        "{table}.{column} of {key} contains NUL or is not UTF-8, which PostgreSQL cannot store; change it in the data \
         folder's database, and run hubbub copy again"
    )]
    Text {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's key.
        key: String,
    },
}

impl Source {
    /// Locks the folder and opens its database. `None`: there is none. Blocks.
    pub fn open(data_dir: &Path) -> Result<Option<Self>, OpenError> {
        let database = data_dir.join(folder::DATABASE);
        if !database.is_file() {
            return Ok(None);
        }
        let lock = folder::lock(data_dir)?;
        let connection = schema::open(&database)?;
        unmapped(&connection).map_err(|cause| OpenError::Database {
            path: database.clone(),
            cause,
        })?;
        Ok(Some(Self {
            database,
            connection,
            _lock: lock,
        }))
    }

    /// What tells this chat from all others: the epoch of its first room. Empty if it has no room.
    pub fn identity(&self) -> rusqlite::Result<String> {
        let first = "SELECT epoch FROM rooms ORDER BY id LIMIT 1";
        let first = self.connection.query_row(first, [], |row| row.get(0));
        Ok(first.optional()?.unwrap_or_default())
    }

    /// The number of rows in a table.
    pub fn count(&self, table: &Table) -> rusqlite::Result<u64> {
        let sql = format!("SELECT count(*) FROM {}", table.name);
        let count = self.connection.query_row(&sql, [], |row| row.get(0));
        count.map(i64::unsigned_abs)
    }

    /// The address of a room.
    pub fn slug(&self, room: i64) -> rusqlite::Result<Option<String>> {
        let sql = "SELECT slug FROM rooms WHERE id = ?1";
        self.connection
            .query_row(sql, [room], |row| row.get(0))
            .optional()
    }

    /// All rows of a table, in batches, in the order of the primary key. A thread reads them ahead, not far.
    pub fn rows(&self, table: &'static Table) -> Receiver<Result<Vec<Row>, ReadError>> {
        let (batches, receiver) = mpsc::channel(AHEAD);
        let database = self.database.clone();
        tokio::task::spawn_blocking(move || {
            // An error to send means that nobody wants more.
            let send = |batch| batches.blocking_send(Ok(batch)).is_ok();
            if let Err(error) = read(&database, table, send) {
                let _ = batches.blocking_send(Err(error));
            }
        });
        receiver
    }
}

/// Each page is read once, so mapping them would only make the process look large.
fn unmapped(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "mmap_size", 0, |_| Ok(()))
}

fn read(database: &Path, table: &Table, send: impl Fn(Vec<Row>) -> bool) -> Result<(), ReadError> {
    let connection = schema::connect(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    unmapped(&connection)?;
    let mut select = connection.prepare(&table.select())?;
    let mut rows = select.query([])?;
    let (mut batch, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let mut values = Vec::with_capacity(table.columns.len());
        for (at, column) in table.columns.iter().enumerate() {
            let value = value(row.get_ref(at)?, column.1).ok_or_else(|| ReadError::Text {
                table: table.name,
                column: column.0,
                key: key(&values[..table.key.min(at)]),
            })?;
            bytes += value.size();
            values.push(value);
        }
        batch.push(values);
        if batch.len() == BATCH.0 || bytes >= BATCH.1 {
            bytes = 0;
            if !send(std::mem::take(&mut batch)) {
                return Ok(());
            }
        }
    }
    if !batch.is_empty() {
        send(batch);
    }
    Ok(())
}

/// A value as PostgreSQL can store it. The tables are strict, so that a value has its column's type or is null.
fn value(value: ValueRef<'_>, kind: Kind) -> Option<Value> {
    match (value, kind) {
        (ValueRef::Null, _) => Some(Value::Null),
        (ValueRef::Integer(number), Kind::Integer) => Some(Value::Integer(number)),
        (ValueRef::Integer(number @ 0..=1), Kind::Boolean) => Some(Value::Integer(number)),
        (ValueRef::Text(text), Kind::Text) if !text.contains(&0) => {
            String::from_utf8(text.to_vec()).ok().map(Value::Text)
        }
        (ValueRef::Blob(bytes), Kind::Bytes) => Some(Value::Bytes(bytes.to_vec())),
        _ => None,
    }
}

/// A row's key, to show.
fn key(values: &[Value]) -> String {
    let parts = values.iter().map(|value| match value {
        Value::Integer(number) => number.to_string(),
        Value::Text(text) => format!("{text:?}"),
        Value::Null | Value::Bytes(_) => "…".to_owned(),
    });
    parts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::TABLES;

    #[test]
    fn every_table_and_column_is_copied() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder::database(folder.path()).unwrap();
        let connection = schema::open(&path).unwrap();
        let select = |sql: &str| {
            let mut names = connection.prepare(sql).unwrap();
            let names = names.query_map([], |row| row.get(0)).unwrap();
            names.collect::<Result<Vec<String>, _>>().unwrap()
        };
        let mut known: Vec<_> = TABLES.iter().map(|table| table.name).collect();
        known.sort_unstable();
        // The view `messages` has everything that `folded` has.
        let found = "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name <> 'folded' ORDER BY name";
        let found = select(found);
        assert_eq!(found, known, "a table is missing in table.rs");
        for table in &TABLES {
            // Without generated columns.
            let found = select(&format!("SELECT name FROM pragma_table_info('{}')", table.name));
            let mut known: Vec<_> = table.columns.iter().map(|(name, _)| *name).collect();
            known.sort_unstable();
            let sorted = std::collections::BTreeSet::from_iter(found);
            assert_eq!(
                Vec::from_iter(sorted),
                known,
                "{}: a column is missing in table.rs",
                table.name
            );
            let keyed = if table.name == "messages" {
                "folded"
            } else {
                table.name
            };
            let key = format!("SELECT name FROM pragma_table_info('{keyed}') WHERE pk > 0 ORDER BY pk");
            let key = select(&key);
            let known: Vec<_> = table.columns[..table.key].iter().map(|(name, _)| *name).collect();
            assert_eq!(key, known, "the key of {}", table.name);
        }
    }
}
