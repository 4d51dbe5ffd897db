//! People and their sessions: one hash per session.

use async_trait::async_trait;
use chat::StoreError;
use chat::ports::Accounts;
use protocol::{Person, SessionToken, Timestamp};

use super::script::{self, Run};
use super::{Redis, value};

/// A token that belongs to somebody else already.
#[derive(Debug, thiserror::Error)]
#[error("the session belongs to another person")]
struct Taken;

#[async_trait]
impl Accounts for Redis {
    async fn create(&self, person: &Person, session: &SessionToken, at: Timestamp) -> Result<(), StoreError> {
        let run = Run::new(&script::ACCOUNT, vec![self.inner.keys.session(session)])
            .arg(person.id.as_str())
            .arg(person.name.as_str())
            .number(at.0);
        if value::read(self.inner.servers.run(run).await?)? {
            Ok(())
        } else {
            Err(StoreError::failed(Taken))
        }
    }

    async fn person(&self, session: &SessionToken) -> Result<Option<Person>, StoreError> {
        let key = self.inner.keys.session(session);
        let mut find = ::redis::cmd("HMGET");
        find.arg(&key).arg(&["id", "name"]);
        let found = self.inner.servers.send(&key, &find).await?;
        let (id, name): (Option<String>, Option<String>) = value::read(found)?;
        let (Some(id), Some(name)) = (id, name) else {
            return Ok(None);
        };
        Ok(Some(Person {
            id: value::parsed(id)?,
            name: value::parsed(name)?,
        }))
    }

    async fn end(&self, session: &SessionToken) -> Result<(), StoreError> {
        let key = self.inner.keys.session(session);
        let mut end = ::redis::cmd("DEL");
        end.arg(&key);
        self.inner.servers.send(&key, &end).await?;
        Ok(())
    }
}
