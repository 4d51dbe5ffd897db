//! Checks that Redis accepts writes, returns what was written, and delivers what is published. A replica works without
//! it, but alone.

use std::sync::Arc;

use chat::StoreError;
use chat::ports::Ids;
use protocol::Opaque;

use super::error::{Deaf, Spoiled};
use super::replica::Redis;
use super::servers::{Server, in_time};
use super::value;

/// Seconds until the value that a check wrote expires.
const KEPT: u64 = 60;

impl Redis {
    /// True if every server has a connection for commands and one that hears what is published, as far as is known.
    pub fn is_connected(&self) -> bool {
        let servers = self.inner.servers.all();
        let connected = |server: &Arc<Server>| server.link.is_up() && server.work.is_heard();
        !servers.is_empty() && servers.iter().all(connected)
    }

    /// Writes a value, reads it back, and checks that every server has a subscribed connection.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub async fn check(&self) -> Result<(), StoreError> {
        in_time(self.write_and_read()).await
    }

    async fn write_and_read(&self) -> Result<(), StoreError> {
        let inner = &self.inner;
        let key = inner.keys.check(&inner.replica);
        let written = Opaque::from_random(inner.ids.random());
        let mut set = ::redis::cmd("SET");
        set.arg(&key).arg(written.as_str()).arg("EX").arg(KEPT);
        inner.servers.send(&key, &set).await?;
        let mut get = ::redis::cmd("GET");
        let read: Option<String> = value::read(inner.servers.send(&key, get.arg(&key)).await?)?;
        if read.as_deref() != Some(written.as_str()) {
            return Err(StoreError::failed(Spoiled("not what was just written")));
        }
        match inner.servers.all().iter().find(|server| !server.work.is_heard()) {
            Some(server) => Err(StoreError::failed(Deaf(server.address.clone()))),
            None => Ok(()),
        }
    }
}
