//! Checks that PostgreSQL accepts writes and returns what was written.

use chat::StoreError;

use super::{Postgres, row};

const RAISE: &str = "UPDATE hubbub SET checks = checks + 1 RETURNING checks";
const READ: &str = "SELECT checks FROM hubbub";

/// The value read is older than the one written.
#[derive(Debug, thiserror::Error)]
#[error("the database does not give back what was written")]
struct Unlike;

impl Postgres {
    /// Commits a write on the primary and reads it back, for readiness, unless its disk was full lately. Other replicas
    /// do the same, so the value read can be newer than the one written.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub async fn check(&self) -> Result<(), StoreError> {
        self.inner.space.check()?;
        let lanes = &self.inner.lanes;
        let number = |rows: Vec<tokio_postgres::Row>| -> Result<Option<i64>, StoreError> {
            rows.first().map(|row| row::value(row, 0)).transpose()
        };
        let written = number(lanes.write(RAISE, &[]).await?)?;
        let read = number(lanes.read(READ, &[]).await?)?;
        if written.is_some() && read >= written {
            Ok(())
        } else {
            Err(StoreError::failed(Unlike))
        }
    }
}
