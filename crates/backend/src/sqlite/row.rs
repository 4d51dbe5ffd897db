//! Converts values to and from rows.

use chat::{Entry, Room, StoreError};
use protocol::{
    ClientId, Deed, DisplayName, Epoch, LogEvent, Message, MessageText, Person, PersonId, Position, RoomSlug,
    RoomTitle, Seq, Timestamp,
};
use rusqlite::{Connection, Row};

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

/// A number in a log.
pub fn seq(row: &Row<'_>, column: &str) -> Result<Seq, StoreError> {
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

/// An event and its author, from the columns `seq`, `at`, `author_id`, `author_name` and `body`.
pub fn entry(row: &Row<'_>, room: &RoomSlug, epoch: &Epoch) -> Result<Entry, StoreError> {
    let body = row.get_ref("body").map_err(StoreError::failed)?;
    let deed: Deed =
        serde_json::from_str(body.as_str().map_err(StoreError::failed)?).map_err(StoreError::failed)?;
    let by = person(row, "author_id", "author_name")?;
    Ok(Entry {
        event: LogEvent {
            room: room.clone(),
            epoch: epoch.clone(),
            seq: seq(row, "seq")?,
            at: time(row, "at")?,
            by: by.id.clone(),
            deed,
        },
        by,
    })
}

/// The name of a person whose row is missing.
const NAMELESS: &str = "Unknown";

/// A person, from the columns with these names. A missing name does not make a message unreadable.
pub fn person(row: &Row<'_>, id: &str, name: &str) -> Result<Person, StoreError> {
    let name: Option<String> = row.get(name).map_err(StoreError::failed)?;
    Ok(Person {
        id: parsed::<PersonId>(row, id)?,
        name: DisplayName::kept(name.unwrap_or_else(|| NAMELESS.to_owned())),
    })
}

/// The columns of a [`message`].
pub const MESSAGE: &str = "seq, rev, at, author_id, client_id, text, reply_to, edited_at, deleted, reactions";

/// A message, from the columns of [`MESSAGE`].
pub fn message(row: &Row<'_>) -> Result<Message, StoreError> {
    let reactions = row.get_ref("reactions").map_err(StoreError::failed)?;
    let reactions = match reactions.as_str_or_null().map_err(StoreError::failed)? {
        Some(json) => serde_json::from_str(json).map_err(StoreError::failed)?,
        None => Vec::new(),
    };
    let optional =
        |column| -> Result<Option<i64>, StoreError> { row.get(column).map_err(StoreError::failed) };
    Ok(Message {
        seq: seq(row, "seq")?,
        rev: seq(row, "rev")?,
        at: time(row, "at")?,
        by: parsed::<PersonId>(row, "author_id")?,
        client_id: parsed::<ClientId>(row, "client_id")?,
        text: MessageText::kept(text(row, "text")?),
        reply_to: optional("reply_to")?.map(numbers::seq).transpose()?,
        edited_at: optional("edited_at")?.map(numbers::time).transpose()?,
        deleted: row.get("deleted").map_err(StoreError::failed)?,
        reactions,
    })
}

/// A room in the tables.
pub struct Head {
    /// The room's id.
    pub id: i64,
    /// The log's head.
    pub at: Position,
    /// The number of messages.
    pub messages: i64,
}

/// The room's log's head.
pub fn head(connection: &Connection, slug: &RoomSlug) -> Result<Head, StoreError> {
    let mut find = connection
        .prepare_cached("SELECT id, epoch, head, messages FROM rooms WHERE slug = ?1")
        .map_err(StoreError::failed)?;
    let mut rows = find.query([slug.as_str()]).map_err(StoreError::failed)?;
    let row = rows.next().map_err(StoreError::failed)?;
    let row = row.ok_or_else(|| StoreError::NoSuchRoom(slug.clone()))?;
    Ok(Head {
        id: row.get("id").map_err(StoreError::failed)?,
        at: Position {
            epoch: parsed(row, "epoch")?,
            seq: seq(row, "head")?,
        },
        messages: row.get("messages").map_err(StoreError::failed)?,
    })
}
