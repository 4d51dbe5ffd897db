//! Tracks which connections belong to which session, so that all of them end with it, wherever it was ended.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::future::ready;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use chat::ports::SessionSignal;
use chat::{Hub, SessionDigest};
use futures::StreamExt;
use protocol::Person;
use tokio::time::{MissedTickBehavior, interval};

/// How often a connection in use looks its session up again, which also prolongs the session.
const LOOK_UP: Duration = Duration::from_secs(24 * 60 * 60);
/// Sessions looked up at once when some may have ended unnoticed.
const AT_ONCE: usize = 16;
/// How often expired sessions are deleted, and the delay before the first time.
const FORGET: Duration = Duration::from_secs(60 * 60);
/// The pause between two portions of a deletion, so that other writes get through.
const PORTION: Duration = Duration::from_millis(100);
/// The pause before following the ends of sessions again, and before looking sessions up again.
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

    fn has(&self, digest: &SessionDigest) -> bool {
        self.0.lock().contains(digest)
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
    let mut again = interval(AGAIN);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        match hub.session_ends().await {
            Ok(mut signals) => {
                // Sessions that may have ended unnoticed: at first, before this followed.
                let mut unsure = logins.digests();
                loop {
                    let signal = tokio::select! {
                        signal = signals.next() => signal,
                        _ = again.tick(), if !unsure.is_empty() => {
                            unsure = look_up(&hub, &logins, unsure).await;
                            continue;
                        }
                    };
                    match signal {
                        Some(SessionSignal::Ended(digest)) => logins.end(&digest),
                        Some(SessionSignal::Unsure) => {
                            unsure = look_up(&hub, &logins, logins.digests()).await;
                        }
                        // The storage is closed.
                        None => return,
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "cannot hear which sessions end; trying again"),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Ends those of these sessions that have ended. Returns those that could not be looked up.
async fn look_up(hub: &Hub, logins: &Logins, sessions: Vec<SessionDigest>) -> Vec<SessionDigest> {
    let connected = sessions.into_iter().filter(|digest| logins.has(digest));
    let looking = futures::stream::iter(connected).map(|digest| async move {
        match hub.whose(&digest).await {
            Ok(Some(_)) => None,
            Ok(None) => {
                logins.end(&digest);
                None
            }
            Err(error) => {
                tracing::debug!(%error, "cannot look up a session that may have ended; trying again");
                Some(digest)
            }
        }
    });
    looking
        .buffer_unordered(AT_ONCE)
        .filter_map(ready)
        .collect()
        .await
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
    use async_trait::async_trait;
    use backend::{Local, Sqlite};
    use chat::hub::Ports;
    use chat::ports::Accounts;
    use chat::{Session, StoreError};
    use futures::stream::{BoxStream, once, pending};
    use protocol::{SessionToken, Timestamp};
    use testkit::{Silent, until, within};

    use super::*;

    /// Says once that sessions may have ended. Looking one up fails this many times; then there is none.
    struct Failing(AtomicU32);

    #[async_trait]
    impl Accounts for Failing {
        async fn session(&self, _: &SessionDigest) -> Result<Option<Session>, StoreError> {
            let left = |left: u32| left.checked_sub(1);
            match self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left) {
                Ok(_) => Err(StoreError::failed("on purpose")),
                Err(_) => Ok(None),
            }
        }

        async fn ends(&self) -> Result<BoxStream<'static, SessionSignal>, StoreError> {
            Ok(once(ready(SessionSignal::Unsure)).chain(pending()).boxed())
        }

        async fn create(&self, _: &Person, _: &SessionDigest, _: Timestamp) -> Result<(), StoreError> {
            Ok(())
        }

        async fn prolong(&self, _: &SessionDigest, _: Timestamp) -> Result<(), StoreError> {
            Ok(())
        }

        async fn end(&self, _: &SessionDigest) -> Result<(), StoreError> {
            Ok(())
        }

        async fn forget(&self, _: Timestamp, _: u32) -> Result<u32, StoreError> {
            Ok(0)
        }
    }

    #[tokio::test]
    async fn a_session_that_may_have_ended_is_looked_up_until_that_succeeds() {
        within(async {
            let folder = tempfile::tempdir().unwrap();
            let ports = Ports {
                log: Arc::new(Sqlite::open(folder.path(), Arc::new(Local::default())).unwrap()),
                directory: Arc::new(Silent),
                accounts: Arc::new(Failing(AtomicU32::new(3))),
                presence: Arc::new(Silent),
                clock: Arc::new(Silent),
                ids: Arc::new(Silent),
            };
            let (logins, tab) = (Logins::default(), Arc::new(Tab::default()));
            let entry = logins.enter(session(1), &tab);
            let following = tokio::spawn(follow(Hub::open(ports).await.unwrap(), logins));
            let limit = Duration::from_secs(30);
            until("its connection is nudged", limit, async || {
                tab.0.load(Ordering::Relaxed) == 1
            })
            .await;
            assert!(entry.0.ended.load(Ordering::Relaxed));
            following.abort();
        })
        .await;
    }

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
