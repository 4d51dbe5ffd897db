//! Sends each command to the server that has its slot. Without a cluster, one server has all slots.

mod publishing;
mod topology;

use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use ::redis::{Cmd, ConnectionInfo, ErrorKind, RedisError, ServerErrorKind, Value};
use chat::StoreError;
use protocol::Opaque;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use super::error::Unanswered;
use super::keys::{SLOTS, slot};
use super::link::{Change, Link, is_read_only};
use super::outbox::Outbox;
use super::publisher::Publisher;
use super::script::Run;
use super::subscriber;
use super::subscriptions::Subscriptions;
use super::untold::Untold;
use super::url::Target;
use super::work::Work;
use crate::vitals::tireless;

/// The longest that a call of a port may take, whatever happens to Redis.
const LIMIT: Duration = Duration::from_millis(900);
/// The wait before the next attempt after a temporary error.
const NOT_NOW: Duration = Duration::from_millis(30);
/// The wait before the next attempt after a connection broke, so that its task can notice.
const BROKEN: Duration = Duration::from_millis(5);

/// Limits a port's call to [`LIMIT`].
pub async fn in_time<T>(call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let late = |_| Err(StoreError::failed(Unanswered::Late));
    timeout(LIMIT, call).await.unwrap_or_else(late)
}

/// A server, with one connection for commands and one for subscriptions.
pub struct Server {
    /// Host and port.
    pub address: String,
    /// The connection for commands.
    pub link: Arc<Link>,
    /// Topics whose subscription must be checked.
    pub work: Arc<Work>,
    /// What waits to be published.
    outbox: Arc<Outbox>,
    tasks: [AbortHandle; 2],
}

impl Drop for Server {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// All servers of the Redis.
pub struct Servers {
    target: Target,
    /// This replica's id.
    me: Opaque,
    subscriptions: Arc<Subscriptions>,
    untold: Arc<Untold>,
    /// Notified when a connection is up.
    pub up: Arc<Notify>,
    /// `None` once closed.
    map: RwLock<Option<Map>>,
    stale: Arc<Notify>,
    /// The index of the next server to ask for the slots.
    turn: AtomicUsize,
}

#[derive(Default)]
struct Map {
    servers: HashMap<String, Arc<Server>>,
    /// The owner of each slot. Without a cluster, a single element.
    owners: Vec<Option<Arc<Server>>>,
}

impl Servers {
    /// Starts to connect.
    pub fn start(
        target: Target,
        me: Opaque,
        subscriptions: Arc<Subscriptions>,
    ) -> Result<Arc<Self>, RedisError> {
        let servers = Arc::new(Self {
            me,
            subscriptions,
            untold: Arc::default(),
            up: Arc::default(),
            map: RwLock::new(Some(Map::default())),
            stale: Arc::new(Notify::new()),
            turn: AtomicUsize::new(0),
            target,
        });
        if servers.target.cluster {
            servers.write(|map| map.owners = vec![None; usize::from(SLOTS)]);
        } else {
            for info in &servers.target.servers {
                let server = Arc::new(servers.connect(info.clone())?);
                servers.write(|map| map.owners = vec![Some(server)]);
            }
        }
        Ok(servers)
    }

    fn write<T>(&self, change: impl FnOnce(&mut Map) -> T) -> Option<T> {
        let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
        map.as_mut().map(change)
    }

    fn read<T>(&self, look: impl FnOnce(&Map) -> T) -> Option<T> {
        let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
        map.as_ref().map(look)
    }

    fn connect(&self, info: ConnectionInfo) -> Result<Server, RedisError> {
        let address = info.addr().to_string();
        let work = Arc::new(Work::new(address.clone()));
        // In a cluster, the map says which server accepts writes.
        let write = (!self.target.cluster).then(|| self.subscriptions.write());
        let (stale, up, untold) = (
            Arc::clone(&self.stale),
            Arc::clone(&self.up),
            Arc::clone(&self.untold),
        );
        let followed = Arc::clone(&work);
        let link = Link::start(info.clone(), write, move |change| match change {
            Change::Up => up.notify_one(),
            Change::Lost => {
                stale.notify_one();
                untold.doubt(Instant::now());
            }
            Change::Elsewhere => {
                followed.follow_elsewhere();
                untold.doubt(Instant::now());
                up.notify_one();
            }
        })?;
        let link = Arc::new(link);
        let subscriber = subscriber::start(
            info,
            Arc::clone(&self.subscriptions),
            Arc::clone(&work),
            Arc::clone(&self.stale),
        )?;
        let outbox = Arc::new(Outbox::default());
        let publisher = Arc::new(Publisher {
            me: self.me.clone(),
            keys: self.subscriptions.keys().clone(),
            address: address.clone(),
            link: Arc::clone(&link),
            outbox: Arc::clone(&outbox),
            untold: Arc::clone(&self.untold),
            moved: Arc::clone(&self.stale),
        });
        let publishing = tokio::spawn(tireless("publisher to Redis", move || {
            let publisher = Arc::clone(&publisher);
            async move { publisher.run().await }
        }));
        Ok(Server {
            address,
            link,
            work,
            outbox,
            tasks: [subscriber, publishing.abort_handle()],
        })
    }

    /// True if this is a cluster, in which rooms are in different slots.
    pub fn is_cluster(&self) -> bool {
        self.target.cluster
    }

    /// The server that has a key's slot.
    pub fn owner(&self, key: &str) -> Result<Arc<Server>, Unanswered> {
        let slot = slot(key);
        self.read(|map| {
            let index = usize::from(slot).min(map.owners.len().saturating_sub(1));
            map.owners.get(index).cloned().flatten()
        })
        .ok_or(Unanswered::Closed)?
        .ok_or(Unanswered::NoServer(slot))
    }

    /// Every server that has slots.
    pub fn all(&self) -> Vec<Arc<Server>> {
        let servers = self.read(|map| {
            let mut servers: Vec<Arc<Server>> = Vec::new();
            for owner in map.owners.iter().flatten() {
                // Adjacent slots mostly have the same owner.
                if !servers.iter().rev().any(|server| Arc::ptr_eq(server, owner)) {
                    servers.push(Arc::clone(owner));
                }
            }
            servers
        });
        servers.unwrap_or_default()
    }

    /// Runs a script on the server that has its keys.
    pub async fn run(&self, run: Run) -> Result<Value, StoreError> {
        in_time(self.attempt(run.key(), |known| run.command(known))).await
    }

    /// Sends a command to the server that has the key. It may be carried out twice.
    pub async fn send(&self, key: &str, command: &Cmd) -> Result<Value, StoreError> {
        in_time(self.attempt(key, |_| command.clone())).await
    }

    /// Tries until there is an answer, through broken connections, moving slots and starting servers. The command may
    /// be carried out twice.
    async fn attempt(&self, key: &str, command: impl Fn(bool) -> Cmd) -> Result<Value, StoreError> {
        let mut known = true;
        let mut ask = None;
        loop {
            let (asking, server) = match ask.take() {
                Some(server) => (true, server),
                None => match self.owner(key) {
                    Ok(server) => (false, server),
                    Err(Unanswered::NoServer(_)) => {
                        self.stale.notify_one();
                        sleep(NOT_NOW).await;
                        continue;
                    }
                    Err(error) => return Err(StoreError::failed(error)),
                },
            };
            let mut connection = server.link.get().await.map_err(StoreError::failed)?;
            let command = command(known);
            let answer = if asking {
                let mut both = ::redis::pipe();
                both.cmd("ASKING").ignore().add_command(command);
                let answer = both.query_async::<(Value,)>(&mut connection).await;
                answer.map(|(value,)| value)
            } else {
                command.query_async(&mut connection).await
            };
            let error = match answer {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            match error.kind() {
                ErrorKind::Server(ServerErrorKind::NoScript) => known = false,
                ErrorKind::Server(ServerErrorKind::Moved) => self.moved(&error, &server)?,
                ErrorKind::Server(ServerErrorKind::Ask) => {
                    ask = error
                        .redirect_node()
                        .map(|(address, _)| self.server(address, &server))
                        .transpose()?;
                }
                ErrorKind::Server(
                    ServerErrorKind::BusyLoading
                    | ServerErrorKind::TryAgain
                    | ServerErrorKind::ClusterDown
                    | ServerErrorKind::MasterDown,
                ) => sleep(NOT_NOW).await,
                // After a failover, the map or the address leads to the new primary.
                _ if is_read_only(&error) => {
                    self.stale.notify_one();
                    server.link.suspect();
                    sleep(NOT_NOW).await;
                }
                _ if error.is_io_error() => {
                    server.link.suspect();
                    sleep(BROKEN).await;
                }
                _ => return Err(StoreError::failed(error)),
            }
        }
    }

    /// Drops all servers and their connections. Later calls fail.
    pub fn close(&self) {
        self.map.write().unwrap_or_else(PoisonError::into_inner).take();
    }
}
