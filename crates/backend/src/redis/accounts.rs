//! People and their sessions: one hash per session. Redis expires it when it has not been used for too long.

use std::sync::Weak;
use std::time::Duration;

use async_trait::async_trait;
use chat::ports::{Accounts, SessionSignal};
use chat::{Session, SessionDigest, StoreError};
use futures::stream::BoxStream;
use protocol::{DisplayName, Person, Timestamp};
use tokio::time::sleep;

use super::replica::{Inner, Redis};
use super::script::{self, Run};
use super::value;

/// How often to ask Redis which sessions have ended. Every replica must know of a sign-out within a second.
const LOOK: Duration = Duration::from_millis(400);
/// About how many ends Redis remembers, for a replica that was disconnected.
const REMEMBERED: u32 = 10_000;
/// The most ends read at a time.
const AT_ONCE: u32 = 1_000;

/// The session already belongs to another person.
#[derive(Debug, thiserror::Error)]
#[error("the session belongs to another person")]
struct Taken;

#[async_trait]
impl Accounts for Redis {
    async fn create(
        &self,
        person: &Person,
        session: &SessionDigest,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let run = Run::new(&script::ACCOUNT, vec![self.inner.keys.session(session)])
            .arg(person.id.as_str())
            .arg(person.name.as_str())
            .number(at.0)
            .number(chat::session::IDLE_MS);
        if value::read(self.inner.servers.run(run).await?)? {
            Ok(())
        } else {
            Err(StoreError::failed(Taken))
        }
    }

    async fn session(&self, session: &SessionDigest) -> Result<Option<Session>, StoreError> {
        let key = self.inner.keys.session(session);
        let mut find = ::redis::cmd("HMGET");
        find.arg(&key).arg(&["id", "name", "used_at"]);
        let found = self.inner.servers.send(&key, &find).await?;
        let (id, name, used_at): (Option<String>, Option<String>, Option<u64>) = value::read(found)?;
        let (Some(id), Some(name), Some(used_at)) = (id, name, used_at) else {
            return Ok(None);
        };
        let person = Person {
            id: value::parsed(id)?,
            name: DisplayName::kept(name),
        };
        let used_at = Timestamp(used_at);
        Ok(Some(Session { person, used_at }))
    }

    async fn prolong(&self, session: &SessionDigest, at: Timestamp) -> Result<(), StoreError> {
        let run = Run::new(&script::PROLONG, vec![self.inner.keys.session(session)])
            .number(at.0)
            .number(chat::session::IDLE_MS);
        self.inner.servers.run(run).await.map(drop)
    }

    async fn end(&self, session: &SessionDigest) -> Result<(), StoreError> {
        let inner = &self.inner;
        let (key, ended) = (inner.keys.session(session), inner.keys.ended());
        let mut end = ::redis::cmd("DEL");
        end.arg(&key);
        inner.servers.send(&key, &end).await?;
        let mut tell = ::redis::cmd("XADD");
        tell.arg(&ended).arg("MAXLEN").arg("~").arg(REMEMBERED).arg("*");
        tell.arg("session").arg(session.as_bytes());
        inner.servers.send(&ended, &tell).await.map(drop)
    }

    /// Does nothing: Redis expires sessions itself.
    async fn forget(&self, _: Timestamp, _: u32) -> Result<u32, StoreError> {
        Ok(0)
    }

    async fn ends(&self) -> Result<BoxStream<'static, SessionSignal>, StoreError> {
        Ok(self.inner.ends.follow())
    }
}

/// The id of an entry in the stream of ends.
type EndId = String;

/// The latest end. A replica that starts reads from there.
pub async fn latest(inner: &Inner) -> Result<EndId, StoreError> {
    let key = inner.keys.ended();
    let mut latest = ::redis::cmd("XREVRANGE");
    latest.arg(&key).arg("+").arg("-").arg("COUNT").arg(1);
    let found: Vec<(EndId, Vec<Vec<u8>>)> = value::read(inner.servers.send(&key, &latest).await?)?;
    Ok(found
        .into_iter()
        .next()
        .map_or_else(|| "0-0".to_owned(), |(id, _)| id))
}

/// Passes on which sessions have ended, on any replica, for as long as the backend lives.
pub async fn follow(backend: Weak<Inner>, mut last: EndId) {
    loop {
        sleep(LOOK).await;
        let Some(inner) = backend.upgrade() else { return };
        // On failure `last` stays, so the next look reads the same ends.
        if let Err(error) = pass_on(&inner, &mut last).await {
            tracing::debug!(%error, "cannot read which sessions have ended; trying again");
        }
    }
}

async fn pass_on(inner: &Inner, last: &mut EndId) -> Result<(), StoreError> {
    let key = inner.keys.ended();
    let mut after = ::redis::cmd("XRANGE");
    after
        .arg(&key)
        .arg(format!("({last}"))
        .arg("+")
        .arg("COUNT")
        .arg(AT_ONCE);
    let found: Vec<(EndId, Vec<Vec<u8>>)> = value::read(inner.servers.send(&key, &after).await?)?;
    for (id, fields) in found {
        *last = id;
        let digest = fields
            .into_iter()
            .nth(1)
            .and_then(|digest| <[u8; 32]>::try_from(digest).ok());
        if let Some(digest) = digest {
            inner.ends.ended(SessionDigest::from(digest));
        }
    }
    Ok(())
}
