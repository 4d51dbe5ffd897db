//! Converts rows.

use chat::{Entry, Room, StoreError};
use protocol::{DisplayName, Epoch, LogEvent, Message, MessageText, Person, PersonId, RoomSlug, RoomTitle};
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

/// The name of a person whose row is missing.
const NAMELESS: &str = "Unknown";

/// A person, from an id and a name. A missing name does not make a message unreadable.
pub fn person(row: &Row, id: usize, name: usize) -> Result<Person, StoreError> {
    let name: Option<String> = value(row, name)?;
    Ok(Person {
        id: parsed::<PersonId>(row, id)?,
        name: DisplayName::kept(name.unwrap_or_else(|| NAMELESS.to_owned())),
    })
}

/// A room, from the columns slug, title, `created_at` and `last_at`, the first of which is `first`.
pub fn room(row: &Row, first: usize) -> Result<Room, StoreError> {
    let last_at: Option<i64> = value(row, first + 3)?;
    Ok(Room {
        slug: parsed(row, first)?,
        title: RoomTitle::kept(value(row, first + 1)?),
        created_at: numbers::time(value(row, first + 2)?)?,
        last_at: last_at.map(numbers::time).transpose()?,
    })
}

/// An event and its author, from the columns seq, at, `author_id`, the author's name and body, the first of which is
/// `first`.
pub fn entry(row: &Row, first: usize, room: &RoomSlug, epoch: &Epoch) -> Result<Entry, StoreError> {
    let by = person(row, first + 2, first + 3)?;
    Ok(Entry {
        event: LogEvent {
            room: room.clone(),
            epoch: epoch.clone(),
            seq: numbers::seq(value(row, first)?)?,
            at: numbers::time(value(row, first + 1)?)?,
            by: by.id.clone(),
            deed: serde_json::from_str(value(row, first + 4)?).map_err(StoreError::failed)?,
        },
        by,
    })
}

/// A message and its number in the room, from the columns number, seq, rev, at, `author_id`, `client_id`, text,
/// `reply_to`, `edited_at`, deleted and reactions, the first of which is `first`.
pub fn message(row: &Row, first: usize) -> Result<(i64, Message), StoreError> {
    let column = |n: usize| first + n;
    let optional = |n: usize| value::<Option<i64>>(row, column(n));
    let reactions = match value::<Option<&str>>(row, column(10))? {
        Some(json) => serde_json::from_str(json).map_err(StoreError::failed)?,
        None => Vec::new(),
    };
    let message = Message {
        seq: numbers::seq(value(row, column(1))?)?,
        rev: numbers::seq(value(row, column(2))?)?,
        at: numbers::time(value(row, column(3))?)?,
        by: parsed(row, column(4))?,
        client_id: parsed(row, column(5))?,
        text: MessageText::kept(value(row, column(6))?),
        reply_to: optional(7)?.map(numbers::seq).transpose()?,
        edited_at: optional(8)?.map(numbers::time).transpose()?,
        deleted: value(row, column(9))?,
        reactions,
    };
    Ok((value(row, first)?, message))
}
