//! People and their sessions.

use async_trait::async_trait;
use chat::StoreError;
use chat::ports::Accounts;
use protocol::{Person, SessionToken, Timestamp};
use rusqlite::params;

use super::{Embedded, row};

const ADD_PERSON: &str = "\
    INSERT INTO people (id, name, created_at) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO NOTHING";

// After a failure the same call again must be safe; somebody else's token must not be given away.
const ADD_SESSION: &str = "\
    INSERT INTO sessions (token, person_id, created_at) VALUES (?1, ?2, ?3)
    ON CONFLICT (token) DO UPDATE SET created_at = created_at WHERE person_id = excluded.person_id";

const WHOSE: &str = "\
    SELECT people.id, people.name FROM sessions JOIN people ON people.id = sessions.person_id
    WHERE sessions.token = ?1";

const END: &str = "DELETE FROM sessions WHERE token = ?1";

/// A token that belongs to somebody else already.
#[derive(Debug, thiserror::Error)]
#[error("the session belongs to another person")]
struct Taken;

#[async_trait]
impl Accounts for Embedded {
    async fn create(&self, person: &Person, session: &SessionToken, at: Timestamp) -> Result<(), StoreError> {
        let (person, session) = (person.clone(), session.clone());
        let creating = self.inner.writer.run(
            move |connection| {
                let at = row::integer(at.0)?;
                let id = person.id.as_str();
                let add = |sql, columns: [&dyn rusqlite::ToSql; 3]| {
                    connection
                        .prepare_cached(sql)
                        .and_then(|mut statement| statement.execute(&columns[..]))
                        .map_err(StoreError::failed)
                };
                add(ADD_PERSON, [&id, &person.name.as_str(), &at])?;
                match add(ADD_SESSION, [&session.as_str(), &id, &at])? {
                    0 => Err(StoreError::failed(Taken)),
                    _ => Ok(()),
                }
            },
            |()| {},
        );
        creating.await
    }

    async fn person(&self, session: &SessionToken) -> Result<Option<Person>, StoreError> {
        let session = session.clone();
        let reading = self.inner.readers.read(move |snapshot| {
            let mut find = snapshot.prepare_cached(WHOSE).map_err(StoreError::failed)?;
            let mut rows = find.query([session.as_str()]).map_err(StoreError::failed)?;
            let Some(row) = rows.next().map_err(StoreError::failed)? else {
                return Ok(None);
            };
            Ok(Some(Person {
                id: row::parsed(row, "id")?,
                name: row::parsed(row, "name")?,
            }))
        });
        reading.await
    }

    async fn end(&self, session: &SessionToken) -> Result<(), StoreError> {
        let session = session.clone();
        let ending = self.inner.writer.run(
            move |connection| {
                let mut end = connection.prepare_cached(END).map_err(StoreError::failed)?;
                end.execute(params![session.as_str()])
                    .map_err(StoreError::failed)?;
                Ok(())
            },
            |()| {},
        );
        ending.await
    }
}
