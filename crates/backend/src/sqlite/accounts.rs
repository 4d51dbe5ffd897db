//! People and their sessions.

use async_trait::async_trait;
use chat::ports::{Accounts, SessionSignal};
use chat::{Session, SessionDigest, StoreError};
use futures::stream::BoxStream;
use protocol::{DisplayName, Person, Timestamp};
use rusqlite::{Connection, ToSql, params};

use super::{Sqlite, row};
use crate::numbers;

const ADD_PERSON: &str = "\
    INSERT INTO people (id, name, created_at) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO NOTHING";

// Repeating the call after a failure must be safe, and another person's session must not be given away.
const ADD_SESSION: &str = "\
    INSERT INTO sessions (digest, person_id, created_at, used_at) VALUES (?1, ?2, ?3, ?3)
    ON CONFLICT (digest) DO UPDATE SET created_at = created_at WHERE person_id = excluded.person_id";

const FIND: &str = "\
    SELECT people.id, people.name, sessions.used_at FROM sessions JOIN people ON people.id = sessions.person_id
    WHERE sessions.digest = ?1";

const PROLONG: &str = "UPDATE sessions SET used_at = max(used_at, ?2) WHERE digest = ?1";

const END: &str = "DELETE FROM sessions WHERE digest = ?1 RETURNING person_id";
const END_IDLE: &str = "\
    DELETE FROM sessions WHERE digest IN (SELECT digest FROM sessions WHERE used_at < ?1 LIMIT ?2)
    RETURNING person_id";

// Whoever wrote is named by events.
const FORGET_PERSON: &str = "\
    DELETE FROM people WHERE id = ?1 AND NOT wrote AND NOT EXISTS (SELECT 1 FROM sessions WHERE person_id = ?1)";

/// The session already belongs to another person.
#[derive(Debug, thiserror::Error)]
#[error("the session belongs to another person")]
struct Taken;

#[async_trait]
impl Accounts for Sqlite {
    async fn create(
        &self,
        person: &Person,
        session: &SessionDigest,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let (person, session) = (person.clone(), *session);
        let creating = self.inner.writer.run(
            move |connection| {
                let at = numbers::signed(at.0)?;
                let id = person.id.as_str();
                change(connection, ADD_PERSON, params![id, person.name.as_str(), at])?;
                match change(connection, ADD_SESSION, params![session.as_bytes(), id, at])? {
                    0 => Err(StoreError::failed(Taken)),
                    _ => Ok(()),
                }
            },
            |()| {},
        );
        creating.await
    }

    async fn session(&self, session: &SessionDigest) -> Result<Option<Session>, StoreError> {
        let session = *session;
        let reading = self.inner.readers.read(move |snapshot| {
            let mut find = snapshot.prepare_cached(FIND).map_err(StoreError::failed)?;
            let mut rows = find.query([session.as_bytes()]).map_err(StoreError::failed)?;
            let Some(row) = rows.next().map_err(StoreError::failed)? else {
                return Ok(None);
            };
            let person = Person {
                id: row::parsed(row, "id")?,
                name: DisplayName::kept(row::text(row, "name")?),
            };
            let used_at = row::time(row, "used_at")?;
            Ok(Some(Session { person, used_at }))
        });
        reading.await
    }

    async fn prolong(&self, session: &SessionDigest, at: Timestamp) -> Result<(), StoreError> {
        let session = *session;
        let prolonging = self.inner.writer.run(
            move |connection| {
                let at = numbers::signed(at.0)?;
                change(connection, PROLONG, params![session.as_bytes(), at]).map(drop)
            },
            |()| {},
        );
        prolonging.await
    }

    async fn end(&self, session: &SessionDigest) -> Result<(), StoreError> {
        let session = *session;
        let bus = std::sync::Arc::clone(&self.inner.bus);
        let ending = self.inner.writer.run(
            move |connection| end(connection, END, params![session.as_bytes()]).map(drop),
            move |()| bus.ended(&session),
        );
        ending.await
    }

    async fn forget(&self, before: Timestamp, limit: u32) -> Result<u32, StoreError> {
        let before = numbers::signed(before.0)?;
        let forgetting = self.inner.writer.run(
            move |connection| end(connection, END_IDLE, params![before, limit]),
            |_| {},
        );
        forgetting.await
    }

    async fn ends(&self) -> Result<BoxStream<'static, SessionSignal>, StoreError> {
        self.inner.bus.ends().await
    }
}

/// Ends sessions, and forgets their people who never wrote and have no other session. Returns the number of sessions.
fn end(connection: &Connection, sql: &str, values: &[&dyn ToSql]) -> Result<u32, StoreError> {
    let mut delete = connection.prepare_cached(sql).map_err(StoreError::failed)?;
    let ended = delete
        .query_map(values, |row| row.get(0))
        .and_then(Iterator::collect);
    let people: Vec<String> = ended.map_err(StoreError::failed)?;
    for person in &people {
        change(connection, FORGET_PERSON, params![person])?;
    }
    Ok(u32::try_from(people.len()).unwrap_or(u32::MAX))
}

fn change(connection: &Connection, sql: &str, values: &[&dyn ToSql]) -> Result<usize, StoreError> {
    let changed = connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.execute(values));
    changed.map_err(StoreError::failed)
}
