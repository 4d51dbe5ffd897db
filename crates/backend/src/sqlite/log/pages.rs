//! Pages of messages in their current form.

use chat::{Limit, StoreError};
use protocol::{MessagePage, RoomSlug, Seq};
use rusqlite::{Connection, params};

use crate::sqlite::row::{self, Head, MESSAGE};
use crate::{numbers, pages};

/// The number of the first message from a `seq` on.
const NEXT: &str = "SELECT number FROM folded WHERE room_id = ?1 AND seq >= ?2 ORDER BY seq LIMIT 1";

const NAME: &str = "SELECT id, name FROM people WHERE id = ?1";

/// Reads as many messages before `before` as the limit allows. A missing message is an error.
pub fn read(
    snapshot: &Connection,
    room: &RoomSlug,
    head: Head,
    before: Option<Seq>,
    limit: Limit,
) -> Result<MessagePage, StoreError> {
    let Head {
        id,
        at,
        messages: count,
    } = head;
    let last = pages::last(before, at.seq);
    let number = if last < at.seq {
        newest_number(snapshot, id, last, count)?
    } else {
        count
    };
    let sql = format!(
        "SELECT number, {MESSAGE} FROM messages WHERE room_id = ?1 AND seq <= ?2 ORDER BY seq DESC LIMIT ?3"
    );
    let mut statement = snapshot.prepare_cached(&sql).map_err(StoreError::failed)?;
    let values = params![id, numbers::signed(last.get())?, limit.count];
    let mut rows = statement.query(values).map_err(StoreError::failed)?;
    let next = || {
        let row = rows.next().map_err(StoreError::failed)?;
        let numbered = |row| -> Result<_, StoreError> {
            let message = row::message(row)?;
            Ok((row.get("number").map_err(StoreError::failed)?, message))
        };
        // A message that cannot be read counts as missing.
        row.map(numbered).transpose().map_err(StoreError::damaged)
    };
    let collected = pages::collect(room, at, last, number, limit, next)?;
    let mut find = snapshot.prepare_cached(NAME).map_err(StoreError::failed)?;
    let mut people = Vec::new();
    for id in collected.names() {
        let mut rows = find.query([id.as_str()]).map_err(StoreError::failed)?;
        if let Some(row) = rows.next().map_err(StoreError::failed)? {
            people.push(row::person(row, "id", "name")?);
        }
    }
    Ok(collected.with_people(people))
}

/// The number of the newest message up to `last`, by the message after it.
fn newest_number(snapshot: &Connection, id: i64, last: Seq, count: i64) -> Result<i64, StoreError> {
    let mut next = snapshot.prepare_cached(NEXT).map_err(StoreError::failed)?;
    let values = params![id, numbers::signed(last.next().get())?];
    let mut rows = next.query(values).map_err(StoreError::failed)?;
    match rows.next().map_err(StoreError::failed)? {
        Some(row) => Ok(row.get::<_, i64>(0).map_err(StoreError::failed)? - 1),
        None => Ok(count),
    }
}
