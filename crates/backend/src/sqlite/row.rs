//! Converts values to and from rows.

use chat::StoreError;
use protocol::{
    DisplayName, Epoch, EventBody, Person, PersonId, Position, RoomEvent, RoomSlug, RoomTitle, Seq, Timestamp,
};
use rusqlite::{Connection, OptionalExtension, Row};

use chat::Room;

use crate::numbers;

/// Parses a column's text, which was valid when it was written.
pub fn parsed<T>(row: &Row<'_>, column: &str) -> Result<T, StoreError>
where
    T: TryFrom<String>,
    T::Error: std::error::Error + Send + Sync + 'static,
{
    T::try_from(text(row, column)?).map_err(StoreError::failed)
}

/// A column's text, unchanged.
pub fn text(row: &Row<'_>, column: &str) -> Result<String, StoreError> {
    row.get(column).map_err(StoreError::failed)
}

fn seq(row: &Row<'_>, column: &str) -> Result<Seq, StoreError> {
    numbers::seq(row.get(column).map_err(StoreError::failed)?)
}

/// A time in milliseconds.
pub fn time(row: &Row<'_>, column: &str) -> Result<Timestamp, StoreError> {
    numbers::time(row.get(column).map_err(StoreError::failed)?)
}

/// A room, from the columns `slug`, `title`, `created_at` and `last_at`.
pub fn room(row: &Row<'_>) -> Result<Room, StoreError> {
    let last_at: Option<i64> = row.get("last_at").map_err(StoreError::failed)?;
    Ok(Room {
        slug: parsed(row, "slug")?,
        title: RoomTitle::kept(text(row, "title")?),
        created_at: time(row, "created_at")?,
        last_at: last_at.map(numbers::time).transpose()?,
    })
}

/// An event, from the columns `seq`, `at`, `author_id`, `author_name` and `body`.
pub fn event(row: &Row<'_>, room: &RoomSlug, epoch: &Epoch) -> Result<RoomEvent, StoreError> {
    let body = row.get_ref("body").map_err(StoreError::failed)?;
    let body: EventBody =
        serde_json::from_str(body.as_str().map_err(StoreError::failed)?).map_err(StoreError::failed)?;
    Ok(RoomEvent {
        room: room.clone(),
        epoch: epoch.clone(),
        seq: seq(row, "seq")?,
        at: time(row, "at")?,
        author: Person {
            id: parsed::<PersonId>(row, "author_id")?,
            name: DisplayName::kept(text(row, "author_name")?),
        },
        body,
    })
}

/// The room's id in the tables, and its log's head.
pub fn head(connection: &Connection, slug: &RoomSlug) -> Result<(i64, Position), StoreError> {
    let mut find = connection
        .prepare_cached("SELECT id, epoch, head FROM rooms WHERE slug = ?1")
        .map_err(StoreError::failed)?;
    find.query_row([slug.as_str()], |row| {
        let head = || {
            Ok::<_, StoreError>(Position {
                epoch: parsed(row, "epoch")?,
                seq: seq(row, "head")?,
            })
        };
        Ok((row.get("id")?, head()))
    })
    .optional()
    .map_err(StoreError::failed)?
    .map_or_else(
        || Err(StoreError::NoSuchRoom(slug.clone())),
        |(id, head)| Ok((id, head?)),
    )
}
