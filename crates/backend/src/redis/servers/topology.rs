//! Keeps the map of a cluster's slots up to date.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use ::redis::{Client, RedisError};
use chat::StoreError;
use tokio::time::{sleep, timeout};

use super::{LIMIT, Map, Server, Servers};
use crate::redis::error::Unanswered;
use crate::redis::keys::SLOTS;
use crate::redis::{link, publisher, slots};

/// How often to ask a cluster for its slots, even if nothing seems to have changed.
const ASK_AGAIN: Duration = Duration::from_secs(5);
/// The shortest time between two such questions.
const ASK_GAP: Duration = Duration::from_millis(100);

impl Map {
    fn has(&self, server: &Arc<Server>) -> bool {
        let known = self.servers.get(&server.address);
        known.is_some_and(|known| Arc::ptr_eq(known, server))
    }

    fn owners_differ(&self, other: &Self) -> bool {
        let same = |(one, two): (&Option<Arc<Server>>, &Option<Arc<Server>>)| match (one, two) {
            (Some(one), Some(two)) => Arc::ptr_eq(one, two),
            (one, two) => one.is_none() && two.is_none(),
        };
        !self.owners.iter().zip(&other.owners).all(same)
    }
}

impl Servers {
    pub(super) fn moved(&self, error: &RedisError, from: &Server) -> Result<(), StoreError> {
        self.stale.notify_one();
        if let Some((address, slot)) = error.redirect_node() {
            let server = self.server(address, from)?;
            self.write(|map| {
                if let Some(owner) = map.owners.get_mut(usize::from(slot)) {
                    *owner = Some(server);
                }
            });
            self.untold.doubt(Instant::now());
            self.reassign();
        }
        Ok(())
    }

    /// The server at an address that another server named. An address without a host means that server's host.
    pub(super) fn server(&self, address: &str, named_by: &Server) -> Result<Arc<Server>, StoreError> {
        let address = slots::whole(address, &named_by.address);
        if let Some(server) = self.read(|map| map.servers.get(&address).cloned()).flatten() {
            return Ok(server);
        }
        let info = self
            .target
            .at(&address)
            .ok_or_else(|| StoreError::failed(Unanswered::Closed))?;
        let server = Arc::new(self.connect(info).map_err(StoreError::failed)?);
        // If two calls connected at the same time, the first server stays.
        self.write(|map| Arc::clone(map.servers.entry(address).or_insert(server)))
            .ok_or_else(|| StoreError::failed(Unanswered::Closed))
    }

    /// Replaces the map. Returns true if every slot has a server.
    pub fn arrange(&self, found: &[slots::Range]) -> Result<bool, RedisError> {
        let mut served = 0;
        let mut owners = vec![None; usize::from(SLOTS)];
        let mut servers = HashMap::new();
        for range in found {
            let known = self
                .read(|map| map.servers.get(&range.address).cloned())
                .flatten();
            let server = match (known, servers.get(&range.address)) {
                (Some(server), _) => server,
                (None, Some(server)) => Arc::clone(server),
                (None, None) => match self.target.at(&range.address) {
                    Some(info) => Arc::new(self.connect(info)?),
                    None => continue,
                },
            };
            for slot in range.first..=range.last.min(SLOTS - 1) {
                if let Some(owner) = owners.get_mut(usize::from(slot)) {
                    *owner = Some(Arc::clone(&server));
                    served += 1;
                }
            }
            servers.insert(range.address.clone(), server);
        }
        let before = self.write(|map| std::mem::replace(map, Map { servers, owners }));
        if let Some(before) = before
            && self.read(|map| map.owners_differ(&before)) == Some(true)
        {
            self.hand_over(before);
        }
        self.reassign();
        Ok(served == usize::from(SLOTS))
    }

    /// Moves every subscription to the server that has its room now.
    fn reassign(&self) {
        let owner = |channel: &str| Some(Arc::clone(&self.owner(channel).ok()?.work));
        self.subscriptions.reassign(owner);
    }

    /// What servers that have lost slots accepted lately, or have not published yet, may reach nobody.
    fn hand_over(&self, before: Map) {
        let gone = before.servers.into_values();
        for server in gone.filter(|server| self.read(|map| map.has(server)) == Some(false)) {
            publisher::owe(&self.untold, server.outbox.close());
        }
        self.untold.doubt(Instant::now());
    }

    /// Keeps the map up to date for as long as the servers exist.
    pub async fn keep_map(servers: Weak<Self>) {
        loop {
            let Some(stale) = servers.upgrade().map(|servers| Arc::clone(&servers.stale)) else {
                return;
            };
            // Wait for whichever comes first.
            let _ = timeout(ASK_AGAIN, stale.notified()).await;
            let Some(servers) = servers.upgrade() else { return };
            if let Some(found) = servers.ask().await
                && let Err(error) = servers.arrange(&found)
            {
                tracing::warn!(%error, "cannot use what the cluster says about its servers");
            }
            sleep(ASK_GAP).await;
        }
    }

    /// Asks the servers in turn for the slots, until one answers. Starts with another server each time, because a
    /// server that is cut off from the cluster gives outdated answers.
    async fn ask(&self) -> Option<Vec<slots::Range>> {
        let mut servers = self.all();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % servers.len().max(1);
        servers.rotate_left(turn);
        for server in servers {
            let asking = async {
                let mut connection = server.link.get().await.ok()?;
                slots::ask(&mut connection, &server.address).await.ok()
            };
            match timeout(LIMIT, asking).await {
                Ok(Some(found)) if !found.is_empty() => return Some(found),
                _ => {}
            }
        }
        // No known server answers. The servers named in the URL may have other addresses by now.
        for info in &self.target.servers {
            let client = Client::open(info.clone()).ok()?;
            let asking = async {
                let mut connection = link::connect(&client, &link::config(|_| {})).await?;
                slots::ask(&mut connection, &info.addr().to_string()).await
            };
            match timeout(2 * LIMIT, asking).await {
                Ok(Ok(found)) if !found.is_empty() => return Some(found),
                _ => {}
            }
        }
        None
    }
}
