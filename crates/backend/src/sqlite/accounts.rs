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

// This runs on a reader, because it looks into every room. A message stored after it ran does no harm: events contain
// their author's name, and a person without a session cannot come back.
macro_rules! leaving {
    ($condition:literal) => {
        concat!(
            "SELECT digest, person_id, EXISTS (
                SELECT 1 FROM rooms CROSS JOIN events ON events.room_id = rooms.id
                WHERE events.author_id = sessions.person_id AND events.client_id IS NOT NULL
            ) AS wrote FROM sessions WHERE ",
            $condition
        )
    };
}

const LEAVING_ONE: &str = leaving!("digest = ?1");
const LEAVING_IDLE: &str = leaving!("used_at < ?1 LIMIT ?2");

const END: &str = "DELETE FROM sessions WHERE digest = ?1";
// The session may have been used since it was looked up.
const END_IDLE: &str = "DELETE FROM sessions WHERE digest = ?1 AND used_at < ?2";
const FORGET_PERSON: &str = "\
    DELETE FROM people WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM sessions WHERE person_id = ?1)";

/// The session already belongs to another person.
#[derive(Debug, thiserror::Error)]
#[error("the session belongs to another person")]
struct Taken;

/// A session that is about to be removed.
struct Leaving {
    digest: SessionDigest,
    person: String,
    wrote: bool,
}

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
        let leaving = self
            .leaving(LEAVING_ONE, vec![Box::new(session.as_bytes().to_vec())])
            .await?;
        let bus = std::sync::Arc::clone(&self.inner.bus);
        let ending = self.inner.writer.run(
            move |connection| {
                for Leaving {
                    digest,
                    person,
                    wrote,
                } in leaving
                {
                    change(connection, END, params![digest.as_bytes()])?;
                    if !wrote {
                        change(connection, FORGET_PERSON, params![person])?;
                    }
                }
                Ok(())
            },
            move |()| bus.ended(&session),
        );
        ending.await
    }

    async fn forget(&self, before: Timestamp, limit: u32) -> Result<u32, StoreError> {
        let before = numbers::signed(before.0)?;
        let leaving = self
            .leaving(LEAVING_IDLE, vec![Box::new(before), Box::new(limit)])
            .await?;
        if leaving.is_empty() {
            return Ok(0);
        }
        let forgetting = self.inner.writer.run(
            move |connection| {
                let mut forgotten = 0;
                for Leaving {
                    digest,
                    person,
                    wrote,
                } in leaving
                {
                    let ended = change(connection, END_IDLE, params![digest.as_bytes(), before])?;
                    if ended > 0 && !wrote {
                        change(connection, FORGET_PERSON, params![person])?;
                    }
                    forgotten += 1;
                }
                Ok(forgotten)
            },
            |_| {},
        );
        forgetting.await
    }

    async fn ends(&self) -> Result<BoxStream<'static, SessionSignal>, StoreError> {
        self.inner.bus.ends().await
    }
}

impl Sqlite {
    /// Finds sessions to remove, and whether their people wrote anything.
    async fn leaving(
        &self,
        find: &'static str,
        values: Vec<Box<dyn ToSql + Send>>,
    ) -> Result<Vec<Leaving>, StoreError> {
        let reading = self.inner.readers.read(move |snapshot| {
            let mut find = snapshot.prepare_cached(find).map_err(StoreError::failed)?;
            let values = rusqlite::params_from_iter(values.iter().map(|value| &**value as &dyn ToSql));
            let leaving = find.query_map(values, |row| {
                Ok(Leaving {
                    digest: SessionDigest::from(row.get::<_, [u8; 32]>("digest")?),
                    person: row.get("person_id")?,
                    wrote: row.get("wrote")?,
                })
            });
            let leaving = leaving.and_then(Iterator::collect);
            leaving.map_err(StoreError::failed)
        });
        reading.await
    }
}

fn change(connection: &Connection, sql: &str, values: &[&dyn ToSql]) -> Result<usize, StoreError> {
    let changed = connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.execute(values));
    changed.map_err(StoreError::failed)
}
