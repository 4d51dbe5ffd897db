//! Statements without an answer, which are counted until the server has answered, even if nobody waits any more.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio_postgres::Row;

use super::connection::{Connection, Values};
use super::error::Fault;

/// A statement's place. Dropping it makes room for another one.
pub struct Place {
    _permit: OwnedSemaphorePermit,
    /// A lane counts these.
    _busy: Arc<()>,
}

/// A statement that was sent, which cannot be taken back.
struct Sent {
    connection: Arc<Connection>,
    /// `None` once it is answered.
    place: Option<Place>,
}

impl Place {
    /// A place on a lane.
    pub fn new(permit: OwnedSemaphorePermit, busy: Arc<()>) -> Self {
        Self {
            _permit: permit,
            _busy: busy,
        }
    }
}

/// Runs a statement and returns its rows. If the caller stops waiting, the statement keeps its place until the server
/// has answered or the connection has ended.
pub async fn query(
    connection: Arc<Connection>,
    place: Place,
    sql: &'static str,
    values: Values<'_>,
) -> Result<Vec<Row>, Fault> {
    let mut sent = Sent {
        connection,
        place: Some(place),
    };
    let answer = sent.connection.query(sql, values).await;
    sent.place = None;
    answer
}

impl Drop for Sent {
    fn drop(&mut self) {
        // Without a runtime, the process ends.
        if let (Some(place), Ok(runtime)) = (self.place.take(), Handle::try_current()) {
            let connection = Arc::clone(&self.connection);
            runtime.spawn(async move {
                connection.answered().await;
                drop(place);
            });
        }
    }
}
