//! The mark on a database that holds an incomplete copy: a table that exists only until the copy is complete.

use super::connection::Connection;
use super::error::Fault;

const FIND: &str = "SELECT to_regclass('incomplete_copy') IS NOT NULL";
const SOURCE: &str = "SELECT source FROM incomplete_copy";
const MAKE: &str = "CREATE TABLE incomplete_copy (source text COLLATE \"C\" NOT NULL)";
const NAME: &str = "INSERT INTO incomplete_copy (source) VALUES ($1)";
const REMOVE: &str = "DROP TABLE incomplete_copy";

/// What the database holds an incomplete copy of. `None`: it is not marked.
pub async fn find(connection: &Connection) -> Result<Option<String>, Fault> {
    if !connection.row(FIND, &[]).await?.try_get::<_, bool>(0)? {
        return Ok(None);
    }
    let rows = connection.query(SOURCE, &[]).await?;
    let source = rows.first().map(|row| row.try_get(0)).transpose()?;
    Ok(Some(source.unwrap_or_default()))
}

/// Marks the database.
pub async fn set(connection: &Connection, source: &str) -> Result<(), Fault> {
    connection.run("BEGIN").await?;
    connection.run(MAKE).await?;
    connection.execute(NAME, &[&source]).await?;
    // If it is not reached, the connection is dropped, and PostgreSQL rolls back.
    connection.run("COMMIT").await
}

/// Removes the mark: the copy is complete.
pub async fn clear(connection: &Connection) -> Result<(), Fault> {
    connection.run(REMOVE).await
}
