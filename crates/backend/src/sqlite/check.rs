//! Checks that the database accepts writes and returns what was written.

use chat::StoreError;

use super::Sqlite;

/// The pragma with the schema's version. Rewriting it changes nothing, but takes the path of every write.
const VERSION: &str = "user_version";

/// The value read is not the value written.
#[derive(Debug, thiserror::Error)]
#[error("the database does not give back what was written")]
struct Unlike;

impl Sqlite {
    /// Writes a value and reads it back, for readiness.
    ///
    /// # Errors
    /// [`StoreError::Failed`], [`StoreError::Busy`].
    pub async fn check(&self) -> Result<(), StoreError> {
        let writing = self.inner.writer.run(
            |connection| {
                let version = connection.pragma_query_value(None, VERSION, |row| row.get::<_, u32>(0));
                let version = version.map_err(StoreError::failed)?;
                connection
                    .pragma_update(None, VERSION, version)
                    .map_err(StoreError::failed)?;
                Ok(version)
            },
            |_| {},
        );
        let written = writing.await?;
        let reading = self.inner.readers.read(|snapshot| {
            let version = snapshot.pragma_query_value(None, VERSION, |row| row.get::<_, u32>(0));
            version.map_err(StoreError::failed)
        });
        if reading.await? == written {
            Ok(())
        } else {
            Err(StoreError::failed(Unlike))
        }
    }
}
