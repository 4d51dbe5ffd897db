//! Fills an empty database with whole tables, and reads them back. Until it is finished, the database is marked, and no
//! server starts on it.

use futures::{StreamExt, stream::BoxStream};
use tokio_postgres::Row as Found;
use tokio_postgres::types::{ToSql, Type};

use super::connection::Connection;
use super::error::{Fault, OpenPostgresError};
use super::hold::{self, Sharing};
use super::servers::Servers;
use super::{mark, schema, url};
use crate::table::{Kind, Row, TABLES, Table, Value};

/// Statements on whole tables take long, and cleaning up may wait for autovacuum.
const PATIENCE: &str = "SET statement_timeout = 0; SET lock_timeout = 0";

const ANYTHING: &str = "SELECT EXISTS (SELECT 1 FROM rooms) OR EXISTS (SELECT 1 FROM people)";

const KEEP_SECRET: &str = "\
    INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";

/// The next room gets the next id.
const NUMBER: &str = "\
    SELECT setval(pg_get_serial_sequence('rooms', 'id'), greatest(max(id), 1), max(id) IS NOT NULL) FROM rooms";

/// A database that is being filled. This process alone uses it.
pub struct Target {
    connection: Connection,
    server: String,
}

/// Why a database cannot be filled.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// It cannot be used, or the connection was lost.
    #[error(transparent)]
    Open(#[from] OpenPostgresError),
    /// It holds a chat already. Nothing was changed.
    #[error("the database at {server} is not empty: it has rooms or people; use an empty database")]
    NotEmpty {
        /// Host and port.
        server: String,
    },
    /// It holds an incomplete copy of another chat. Nothing was changed.
    #[error(
        "the database at {server} holds an incomplete copy of another data folder; run hubbub copy again with that \
         folder, or use an empty database"
    )]
    Other {
        /// Host and port.
        server: String,
    },
}

impl Target {
    /// Connects to a database that is empty, or holds an interrupted copy of the same source, which is removed. Creates
    /// the tables, and marks the database.
    pub async fn open(to: &str, source: &str) -> Result<Self, TargetError> {
        let servers = Servers::new(url::Target::parse(to)?.patient())?;
        let found = servers.find().await;
        let found = found.map_err(|none| OpenPostgresError::of(servers.name(none.host), &none.fault))?;
        let target = Self {
            server: servers.name(found.host).to_owned(),
            connection: found.connection,
        };
        let (connection, server) = (&target.connection, target.server.clone());
        let held = hold::take_at_start(connection, Sharing::Alone).await;
        if held.map_err(target.failed())?.is_none() {
            return Err(OpenPostgresError::InUse { server }.into());
        }
        connection.run(PATIENCE).await.map_err(target.failed())?;
        schema::prepare(connection, &server).await?;
        match mark::find(connection).await.map_err(target.failed())? {
            Some(of) if of != source => return Err(TargetError::Other { server }),
            Some(_) => {}
            None => {
                let anything = connection.row(ANYTHING, &[]).await.map_err(target.failed())?;
                let anything = anything.try_get(0).map_err(Fault::from);
                if anything.map_err(target.failed())? {
                    return Err(TargetError::NotEmpty { server });
                }
                mark::set(connection, source).await.map_err(target.failed())?;
            }
        }
        connection
            .run(&format!("TRUNCATE {}", tables()))
            .await
            .map_err(target.failed())?;
        Ok(target)
    }

    fn failed(&self) -> impl Fn(Fault) -> OpenPostgresError + use<> {
        let server = self.server.clone();
        move |fault| OpenPostgresError::of(&server, &fault)
    }

    /// Stores rows, all or none of them.
    pub async fn insert(&self, table: &Table, rows: &[Row]) -> Result<(), OpenPostgresError> {
        self.copy_in(table, rows).await.map_err(self.failed())
    }

    async fn copy_in(&self, table: &Table, rows: &[Row]) -> Result<(), Fault> {
        let sql = format!("COPY {} ({}) FROM STDIN BINARY", table.name, table.columns());
        let types: Vec<_> = table.columns.iter().map(|(_, kind)| of(*kind)).collect();
        let mut writer = Box::pin(self.connection.copy_in(&sql, &types).await?);
        let mut values = Vec::with_capacity(table.columns.len());
        for row in rows {
            values.clear();
            values.extend(
                row.iter()
                    .zip(table.columns)
                    .map(|(value, column)| sql_value(value, column.1)),
            );
            writer.as_mut().write(&values).await?;
        }
        writer.as_mut().finish().await?;
        Ok(())
    }

    /// All rows of a table, in the order of the primary key.
    pub async fn rows(
        &self,
        table: &'static Table,
    ) -> Result<BoxStream<'static, Result<Row, OpenPostgresError>>, OpenPostgresError> {
        let failed = self.failed();
        let rows = self.connection.stream(&table.select()).await.map_err(&failed)?;
        let rows = rows.map(move |row| {
            let row = row.and_then(|row| values(&row, table));
            row.map_err(|error| failed(error.into()))
        });
        Ok(rows.boxed())
    }

    /// Stores a secret that all replicas will share.
    pub async fn keep_secret(&self, name: &str, value: &[u8]) -> Result<(), OpenPostgresError> {
        let kept = self.connection.execute(KEEP_SECRET, &[&name, &value]).await;
        kept.map(drop).map_err(self.failed())
    }

    /// Prepares the filled tables for a server.
    pub async fn settle(&self) -> Result<(), OpenPostgresError> {
        self.connection.query(NUMBER, &[]).await.map_err(self.failed())?;
        let analyze = format!("ANALYZE {}", tables());
        self.connection.run(&analyze).await.map_err(self.failed())
    }

    /// Removes the mark. From now on, servers start on the database.
    pub async fn finish(self) -> Result<(), OpenPostgresError> {
        mark::clear(&self.connection).await.map_err(self.failed())
    }
}

fn tables() -> String {
    TABLES.map(|table| table.name).join(", ")
}

fn of(kind: Kind) -> Type {
    match kind {
        Kind::Integer => Type::INT8,
        Kind::Text => Type::TEXT,
        Kind::Bytes => Type::BYTEA,
        Kind::Boolean => Type::BOOL,
    }
}

fn sql_value(value: &Value, kind: Kind) -> &(dyn ToSql + Sync) {
    match (value, kind) {
        (Value::Integer(0), Kind::Boolean) => &false,
        (Value::Integer(_), Kind::Boolean) => &true,
        (Value::Integer(number), _) => number,
        (Value::Text(text), _) => text,
        (Value::Bytes(bytes), _) => bytes,
        (Value::Null, Kind::Integer) => &None::<i64>,
        (Value::Null, Kind::Text) => &None::<String>,
        (Value::Null, Kind::Bytes) => &None::<Vec<u8>>,
        (Value::Null, Kind::Boolean) => &None::<bool>,
    }
}

fn values(row: &Found, table: &Table) -> Result<Row, tokio_postgres::Error> {
    let columns = table.columns.iter().enumerate();
    let values = columns.map(|(at, (_, kind))| {
        Ok(match kind {
            Kind::Integer => row
                .try_get::<_, Option<_>>(at)?
                .map_or(Value::Null, Value::Integer),
            Kind::Text => row.try_get::<_, Option<_>>(at)?.map_or(Value::Null, Value::Text),
            Kind::Bytes => row.try_get::<_, Option<_>>(at)?.map_or(Value::Null, Value::Bytes),
            Kind::Boolean => row
                .try_get::<_, Option<bool>>(at)?
                .map_or(Value::Null, |yes| Value::Integer(yes.into())),
        })
    });
    values.collect()
}

#[cfg(test)]
mod tests {
    use testkit::PostgresServer;

    use super::*;

    #[tokio::test]
    async fn every_table_and_column_is_copied() {
        let server = PostgresServer::shared();
        let database = server.database();
        let target = Target::open(&server.url(&database), "test").await.unwrap();
        // What PostgreSQL has of its own: the version, secrets (copied by name), and the mark.
        let found = server.sql(
            &database,
            "SELECT table_name || ': ' || string_agg(column_name, ', ' ORDER BY column_name COLLATE \"C\")
             FROM information_schema.columns WHERE table_schema = 'public' AND is_generated = 'NEVER'
                AND table_name NOT IN ('hubbub', 'secrets', 'incomplete_copy')
             GROUP BY table_name ORDER BY table_name COLLATE \"C\"",
        );
        let mut known = TABLES.map(|table| {
            let mut columns: Vec<_> = table.columns.iter().map(|(name, _)| *name).collect();
            columns.sort_unstable();
            format!("{}: {}", table.name, columns.join(", "))
        });
        known.sort_unstable();
        assert_eq!(
            found.trim(),
            known.join("\n"),
            "a table or column is missing in table.rs"
        );
        target.finish().await.unwrap();
    }
}
