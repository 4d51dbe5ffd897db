//! Converts rows.

use chat::{Room, StoreError};
use protocol::{DisplayName, Epoch, Person, PersonId, RoomEvent, RoomSlug, RoomTitle};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use super::error::Fault;
use crate::numbers;

/// A column's value.
pub fn value<'a, T: FromSql<'a>>(row: &'a Row, column: usize) -> Result<T, StoreError> {
    row.try_get(column).map_err(|error| Fault::from(error).into())
}

/// Parses a column's text, which was valid when it was written.
pub fn parsed<T>(row: &Row, column: usize) -> Result<T, StoreError>
where
    T: TryFrom<String>,
    T::Error: std::error::Error + Send + Sync + 'static,
{
    T::try_from(value(row, column)?).map_err(StoreError::failed)
}

/// A person, from an id and a name.
pub fn person(row: &Row, id: usize, name: usize) -> Result<Person, StoreError> {
    Ok(Person {
        id: parsed::<PersonId>(row, id)?,
        name: DisplayName::kept(value(row, name)?),
    })
}

/// A room, from the columns slug, title, `created_at` and `last_at`.
pub fn room(row: &Row) -> Result<Room, StoreError> {
    let last_at: Option<i64> = value(row, 3)?;
    Ok(Room {
        slug: parsed(row, 0)?,
        title: RoomTitle::kept(value(row, 1)?),
        created_at: numbers::time(value(row, 2)?)?,
        last_at: last_at.map(numbers::time).transpose()?,
    })
}

/// An event, from the columns seq, at, `author_id`, `author_name` and body, the first of which is `first`.
pub fn event(row: &Row, first: usize, room: &RoomSlug, epoch: &Epoch) -> Result<RoomEvent, StoreError> {
    Ok(RoomEvent {
        room: room.clone(),
        epoch: epoch.clone(),
        seq: numbers::seq(value(row, first)?)?,
        at: numbers::time(value(row, first + 1)?)?,
        author: person(row, first + 2, first + 3)?,
        body: serde_json::from_str(value(row, first + 4)?).map_err(StoreError::failed)?,
    })
}
