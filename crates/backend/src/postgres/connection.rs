//! One connection to PostgreSQL, with its prepared statements.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use futures::future::join_all;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, Row, RowStream, Socket, Statement};

use super::error::Fault;

/// The values of a statement's parameters.
pub type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Statements and the values of their parameters.
pub type Statements<'a> = &'a [(&'static str, Values<'a>)];

/// An open connection. Any number of tasks can use it at the same time: the server answers in order. Dropping it closes
/// it.
pub struct Connection {
    client: Client,
    statements: Mutex<HashMap<&'static str, Statement>>,
    ended: watch::Receiver<()>,
    driver: AbortHandle,
}

impl Connection {
    /// Connects.
    pub async fn open<T>(config: &Config, tls: T) -> Result<Self, Fault>
    where
        T: MakeTlsConnect<Socket>,
        T::Stream: Send + 'static,
    {
        let (client, connection) = config.connect(tls).await?;
        let (alive, ended) = watch::channel(());
        let driver = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = %Fault::from(error), "a connection to PostgreSQL ended");
            }
            drop(alive);
        });
        Ok(Self {
            client,
            statements: Mutex::default(),
            ended,
            driver: driver.abort_handle(),
        })
    }

    /// True if the connection has ended.
    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Waits until the connection ends.
    pub async fn closed(&self) {
        let mut ended = self.ended.clone();
        // Nothing is ever sent: the only change is that the sender goes.
        while ended.changed().await.is_ok() {}
    }

    /// Waits until everything that was sent before is answered, or the connection has ended.
    pub async fn answered(&self) {
        // Its failure is the end of the connection.
        let _ = self.client.check_connection().await;
    }

    /// Ends the connection when this is over. Statements without an answer fail then.
    pub fn end_after(&self, this: impl Future<Output = ()> + Send + 'static) {
        let (mut ended, driver) = (self.ended.clone(), self.driver.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = this => driver.abort(),
                _ = ended.changed() => {}
            }
        });
    }

    /// A statement, prepared when it is used for the first time.
    pub async fn prepared(&self, sql: &'static str) -> Result<Statement, Fault> {
        let known = self.statements().get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.client.prepare(sql).await?;
        self.statements().insert(sql, statement.clone());
        Ok(statement)
    }

    fn statements(&self) -> std::sync::MutexGuard<'_, HashMap<&'static str, Statement>> {
        self.statements.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a statement and returns its rows.
    pub async fn query(&self, sql: &'static str, values: Values<'_>) -> Result<Vec<Row>, Fault> {
        let statement = self.prepared(sql).await?;
        Ok(self.client.query(&statement, values).await?)
    }

    /// Runs a statement and returns its only row.
    pub async fn row(&self, sql: &'static str, values: Values<'_>) -> Result<Row, Fault> {
        let rows = self.query(sql, values).await?;
        rows.into_iter()
            .next()
            .ok_or_else(|| Fault::lost("an answer has no row"))
    }

    /// Runs a statement and returns the number of rows that it changed.
    pub async fn execute(&self, sql: &'static str, values: Values<'_>) -> Result<u64, Fault> {
        let statement = self.prepared(sql).await?;
        Ok(self.client.execute(&statement, values).await?)
    }

    /// Runs statements without parameters, separated by semicolons.
    pub async fn run(&self, sql: &str) -> Result<(), Fault> {
        Ok(self.client.batch_execute(sql).await?)
    }

    /// Starts `COPY … FROM STDIN BINARY` for columns of these types. What is not finished is not stored.
    pub async fn copy_in(&self, sql: &str, types: &[Type]) -> Result<BinaryCopyInWriter, Fault> {
        let sink = self.client.copy_in(sql).await?;
        Ok(BinaryCopyInWriter::new(sink, types))
    }

    /// Runs a statement without parameters and returns its rows as they arrive.
    pub async fn stream(&self, sql: &str) -> Result<RowStream, Fault> {
        let none: [&str; 0] = [];
        Ok(self.client.query_raw(sql, none).await?)
    }

    /// Runs statements as one transaction, in one trip to the server, and returns the rows of each. Each sees what others
    /// committed while those before it waited for locks. If one fails, nothing is stored.
    pub async fn transaction(&self, statements: Statements<'_>) -> Result<Vec<Vec<Row>>, Fault> {
        self.trip(Some("BEGIN"), statements, Some("COMMIT")).await
    }

    /// Begins a transaction with these statements, in one trip. If one fails, the transaction is over.
    pub async fn begin(&self, statements: Statements<'_>) -> Result<Vec<Vec<Row>>, Fault> {
        self.trip(Some("BEGIN"), statements, None).await
    }

    /// Ends the transaction with these statements, in one trip.
    pub async fn commit(&self, statements: Statements<'_>) -> Result<(), Fault> {
        self.trip(None, statements, Some("COMMIT")).await.map(drop)
    }

    async fn trip(
        &self,
        first: Option<&str>,
        statements: Statements<'_>,
        last: Option<&str>,
    ) -> Result<Vec<Vec<Row>>, Fault> {
        let edge = async |sql: Option<&str>| match sql {
            Some(sql) => self.client.batch_execute(sql).await,
            None => Ok(()),
        };
        let rows = async {
            let mut prepared = Vec::with_capacity(statements.len());
            for (sql, values) in statements {
                prepared.push((self.prepared(sql).await?, values));
            }
            // They are sent in this order, at once. If one fails, PostgreSQL refuses those after it, and instead of
            // committing it rolls back.
            let queries = prepared
                .iter()
                .map(|(statement, values)| self.client.query(statement, values));
            let (first, answers, last) = tokio::join!(edge(first), join_all(queries), edge(last));
            first?;
            let rows = answers.into_iter().collect::<Result<_, _>>()?;
            last?;
            Ok(rows)
        };
        let rows = rows.await;
        if rows.is_err() {
            // Nothing may stay open. If this fails, the connection is lost.
            let _ = self.client.batch_execute("ROLLBACK").await;
        }
        rows
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // A server that does not read would keep the task waiting.
        self.driver.abort();
    }
}
