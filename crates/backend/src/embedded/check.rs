//! Whether the database takes writes, and gives back what was written.

use chat::StoreError;

use super::Embedded;

/// Where the number of the schema is. To write it again changes nothing, but goes the way of every write.
const VERSION: &str = "user_version";

/// Something else was read than had been written.
#[derive(Debug, thiserror::Error)]
#[error("the database does not give back what was written")]
struct Unlike;

impl Embedded {
    /// Writes something and reads it back. For readiness.
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
