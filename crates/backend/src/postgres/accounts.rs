//! People and their sessions.

use async_trait::async_trait;
use chat::ports::{Accounts, SessionSignal};
use chat::{Session, SessionDigest, StoreError};
use futures::stream::BoxStream;
use protocol::{Person, Timestamp};

use super::{Postgres, row};
use crate::numbers;

// Repeating the call after a failure must be safe, and another person's session must not be given away.
const CREATE: &str = "\
    WITH person AS (
        INSERT INTO people (id, name, created_at) SELECT $1, $2, $3
        WHERE NOT EXISTS (SELECT 1 FROM sessions WHERE digest = $4 AND person_id <> $1)
        ON CONFLICT (id) DO NOTHING
    )
    INSERT INTO sessions (digest, person_id, created_at, used_at) SELECT $4, $1, $3, $3
    WHERE NOT EXISTS (SELECT 1 FROM sessions WHERE digest = $4 AND person_id <> $1)
    ON CONFLICT (digest) DO UPDATE SET created_at = sessions.created_at
        WHERE sessions.person_id = excluded.person_id
    RETURNING person_id";

const FIND: &str = "\
    SELECT people.id, people.name, sessions.used_at FROM sessions JOIN people ON people.id = sessions.person_id
    WHERE sessions.digest = $1";

const PROLONG: &str = "UPDATE sessions SET used_at = greatest(used_at, $2) WHERE digest = $1";

const END: &str = "DELETE FROM sessions WHERE digest = $1 RETURNING person_id";

const END_IDLE: &str = "\
    DELETE FROM sessions WHERE used_at < $1 AND digest = ANY (
        ARRAY (SELECT digest FROM sessions WHERE used_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)
    ) RETURNING person_id";

// Whoever wrote is named by events.
const FORGET_PEOPLE: &str = "\
    DELETE FROM people WHERE id = ANY ($1) AND NOT wrote
        AND NOT EXISTS (SELECT 1 FROM sessions WHERE person_id = people.id)";

/// The session already belongs to another person.
#[derive(Debug, thiserror::Error)]
#[error("the session belongs to another person")]
struct Taken;

#[async_trait]
impl Accounts for Postgres {
    async fn create(
        &self,
        person: &Person,
        session: &SessionDigest,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let (at, digest) = (numbers::signed(at.0)?, &session.as_bytes()[..]);
        let (id, name) = (person.id.as_str(), person.name.as_str());
        let created = self
            .inner
            .lanes
            .write(CREATE, &[&id, &name, &at, &digest])
            .await?;
        if created.is_empty() {
            return Err(StoreError::failed(Taken));
        }
        Ok(())
    }

    async fn session(&self, session: &SessionDigest) -> Result<Option<Session>, StoreError> {
        let rows = self.inner.lanes.read(FIND, &[&&session.as_bytes()[..]]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(Some(Session {
            person: row::person(row, 0, 1)?,
            used_at: numbers::time(row::value(row, 2)?)?,
        }))
    }

    async fn prolong(&self, session: &SessionDigest, at: Timestamp) -> Result<(), StoreError> {
        let (digest, at) = (&session.as_bytes()[..], numbers::signed(at.0)?);
        self.inner.lanes.write(PROLONG, &[&digest, &at]).await.map(drop)
    }

    async fn end(&self, session: &SessionDigest) -> Result<(), StoreError> {
        let digest = &session.as_bytes()[..];
        let ended = self.inner.lanes.write(END, &[&digest]).await?;
        self.inner.bus.ended(session);
        self.forget_people(&ended).await;
        Ok(())
    }

    async fn forget(&self, before: Timestamp, limit: u32) -> Result<u32, StoreError> {
        let (before, limit) = (numbers::signed(before.0)?, i64::from(limit));
        let ended = self.inner.lanes.write(END_IDLE, &[&before, &limit]).await?;
        self.forget_people(&ended).await;
        Ok(u32::try_from(ended.len()).unwrap_or(u32::MAX))
    }

    async fn ends(&self) -> Result<BoxStream<'static, SessionSignal>, StoreError> {
        self.inner.bus.ends().await
    }
}

impl Postgres {
    /// Forgets those of these people who have no session and wrote nothing. It is no loss if that fails: their rows
    /// stay.
    async fn forget_people(&self, rows: &[tokio_postgres::Row]) {
        let people: Result<Vec<&str>, _> = rows.iter().map(|row| row.try_get(0)).collect();
        let Ok(people) = people else { return };
        if people.is_empty() {
            return;
        }
        if let Err(error) = self.inner.lanes.write(FORGET_PEOPLE, &[&people]).await {
            tracing::debug!(%error, "people without sessions could not be forgotten");
        }
    }
}
