//! Tracks which connections belong to which session, so that all of them end with it, wherever it was ended.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use chat::ports::SessionSignal;
use chat::{Hub, SessionDigest};
use futures::StreamExt;
use protocol::Person;

/// How often a connection in use looks its session up again, which also prolongs the session.
const LOOK_UP: Duration = Duration::from_secs(24 * 60 * 60);
/// Sessions looked up at once when some may have ended unnoticed.
const AT_ONCE: usize = 16;
/// How often expired sessions are deleted, and the delay before the first time.
const FORGET: Duration = Duration::from_secs(60 * 60);
/// The pause between two portions of a deletion, so that other writes get through.
const PORTION: Duration = Duration::from_millis(100);
/// The pause before following the ends of sessions again.
const AGAIN: Duration = Duration::from_secs(1);

/// Something that checks its session when told to.
pub trait Nudge: Send + Sync {
    /// Check now.
    fn nudge(self: Arc<Self>);
}

/// The sessions that have connections on this process.
#[derive(Clone, Default)]
pub struct Logins(Arc<Registry>);

#[derive(Default)]
struct Registry(Mutex<HashSet<Known>>);

/// A session in the table, found by its digest. A map would store each digest twice.
struct Known(Arc<Session>);

impl Borrow<SessionDigest> for Known {
    fn borrow(&self) -> &SessionDigest {
        &self.0.digest
    }
}

impl Hash for Known {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.digest.hash(state);
    }
}

impl PartialEq for Known {
    fn eq(&self, other: &Self) -> bool {
        self.0.digest == other.0.digest
    }
}

impl Eq for Known {}

/// A session on this process, for as long as it has connections.
struct Session {
    registry: Weak<Registry>,
    digest: SessionDigest,
    ended: AtomicBool,
    /// The number of its entries. It changes only while the table is locked.
    entries: AtomicU32,
    connections: Mutex<Connections>,
}

/// The connections of a session. Most of the many sessions have one.
enum Connections {
    One(Weak<dyn Nudge>),
    Many(Vec<Weak<dyn Nudge>>),
}

/// A connection's entry in a session: it is nudged when the session ends.
pub struct Entry(Arc<Session>);

/// The person that a connection belongs to, until the session ends.
pub struct Login {
    pub person: Person,
    entry: Entry,
    looked_up: Instant,
}

impl Logins {
    /// Registers a connection to be nudged when the session ends. Call this before looking the session up, so that no
    /// end is missed in between.
    pub fn enter(&self, digest: SessionDigest, connection: &Arc<impl Nudge + 'static>) -> Entry {
        let connection: Weak<dyn Nudge> = Arc::downgrade(&(Arc::clone(connection) as Arc<dyn Nudge>));
        let mut sessions = self.0.lock();
        let known = sessions.get(&digest).map(|known| Arc::clone(&known.0));
        let session = known.unwrap_or_else(|| {
            let session = Arc::new(Session {
                registry: Arc::downgrade(&self.0),
                digest,
                ended: AtomicBool::new(false),
                entries: AtomicU32::new(0),
                connections: Mutex::new(Connections::Many(Vec::new())),
            });
            sessions.insert(Known(Arc::clone(&session)));
            session
        });
        session.entries.fetch_add(1, Ordering::Relaxed);
        drop(sessions);
        session.connections().add(connection);
        Entry(session)
    }

    /// Ends a session: commands in its name are refused from now on, and its connections are nudged.
    pub fn end(&self, digest: &SessionDigest) {
        let session = self.0.lock().get(digest).map(|known| Arc::clone(&known.0));
        if let Some(session) = session {
            session.end();
        }
    }

    fn digests(&self) -> Vec<SessionDigest> {
        self.0.lock().iter().map(|known| known.0.digest).collect()
    }
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, HashSet<Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) {
        self.ended.store(true, Ordering::Release);
        let connections = self.connections().take();
        for connection in connections.iter().filter_map(Weak::upgrade) {
            connection.nudge();
        }
    }
}

impl Connections {
    fn take(&mut self) -> Vec<Weak<dyn Nudge>> {
        match std::mem::replace(self, Self::Many(Vec::new())) {
            Self::One(connection) => vec![connection],
            Self::Many(connections) => connections,
        }
    }

    fn add(&mut self, connection: Weak<dyn Nudge>) {
        let mut all = self.take();
        // A browser that reconnects leaves dead entries behind.
        all.retain(|known| known.strong_count() > 0);
        *self = if all.is_empty() {
            Self::One(connection)
        } else {
            all.push(connection);
            Self::Many(all)
        };
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let session = &self.0;
        let Some(registry) = session.registry.upgrade() else {
            return;
        };
        let mut sessions = registry.lock();
        if session.entries.fetch_sub(1, Ordering::Relaxed) == 1 {
            sessions.remove(&session.digest);
            // Release memory after a peak of sessions.
            if sessions.len() < sessions.capacity() / 4 {
                sessions.shrink_to_fit();
            }
        }
    }
}

impl Entry {
    /// The login of the session's person.
    pub fn of(self, person: Person) -> Login {
        Login {
            person,
            entry: self,
            looked_up: Instant::now(),
        }
    }
}

impl Login {
    /// True if the session has ended.
    pub fn ended(&self) -> bool {
        self.entry.0.ended.load(Ordering::Acquire)
    }

    /// Looks the session up once a day. A session in use is prolonged, and one that expired ends.
    pub async fn look_up(&mut self, hub: &Hub) {
        if self.looked_up.elapsed() < LOOK_UP {
            return;
        }
        let session = &self.entry.0;
        match hub.whose(&session.digest).await {
            Ok(None) => session.end(),
            Ok(Some(_)) => self.looked_up = Instant::now(),
            // The command that is about to run will report the failure.
            Err(error) => tracing::debug!(%error, "cannot look up a session; trying again later"),
        }
    }
}

/// Ends the connections of sessions that end on any replica, for as long as the process lives.
pub async fn follow(hub: Hub, logins: Logins) {
    loop {
        match hub.session_ends().await {
            Ok(mut signals) => {
                while let Some(signal) = signals.next().await {
                    match signal {
                        SessionSignal::Ended(digest) => logins.end(&digest),
                        SessionSignal::Unsure => look_up_all(&hub, &logins).await,
                    }
                }
                // The storage is closed.
                return;
            }
            Err(error) => tracing::warn!(%error, "cannot hear which sessions end; trying again"),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn look_up_all(hub: &Hub, logins: &Logins) {
    let sessions = futures::stream::iter(logins.digests());
    let looking = sessions.for_each_concurrent(AT_ONCE, |digest| async move {
        if let Ok(None) = hub.whose(&digest).await {
            logins.end(&digest);
        }
    });
    looking.await;
}

/// Deletes expired sessions, for as long as the process lives.
pub async fn forget(hub: Hub) {
    loop {
        loop {
            match hub.forget_expired().await {
                Ok(true) => tokio::time::sleep(PORTION).await,
                Ok(false) => break,
                Err(error) => {
                    tracing::debug!(%error, "cannot delete expired sessions; trying again later");
                    break;
                }
            }
        }
        tokio::time::sleep(FORGET).await;
    }
}

#[cfg(test)]
mod tests {
    use protocol::SessionToken;

    use super::*;

    #[derive(Default)]
    struct Tab(AtomicU32);

    impl Nudge for Tab {
        fn nudge(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn session(bits: u128) -> SessionDigest {
        SessionDigest::of(&SessionToken::from_random(bits))
    }

    #[test]
    fn a_session_ends_for_its_connections_and_no_others() {
        let logins = Logins::default();
        let tabs: [Arc<Tab>; 3] = Default::default();
        let entries: Vec<_> = [1, 1, 2]
            .into_iter()
            .zip(&tabs)
            .map(|(n, tab)| logins.enter(session(n), tab))
            .collect();
        logins.end(&session(1));
        logins.end(&session(3));
        let ended: Vec<_> = entries
            .iter()
            .map(|entry| entry.0.ended.load(Ordering::Relaxed))
            .collect();
        assert_eq!(ended, [true, true, false]);
        assert_eq!(tabs.map(|tab| tab.0.load(Ordering::Relaxed)), [1, 1, 0]);
        assert_eq!(logins.digests().len(), 2);
        drop(entries);
        assert_eq!(
            logins.digests().len(),
            0,
            "sessions without connections are not kept"
        );
    }

    #[test]
    fn dead_connections_are_not_kept() {
        let logins = Logins::default();
        let first = logins.enter(session(1), &Arc::new(Tab::default()));
        for _ in 0..100 {
            drop(logins.enter(session(1), &Arc::new(Tab::default())));
        }
        assert!(first.0.connections().take().len() <= 1);
    }
}
