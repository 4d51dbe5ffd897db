//! A connection that is monitored, and replaced when it is lost, forever.
//!
//! The library's `ConnectionManager` gives up after some attempts until the next command, and does not notice a Redis
//! that hangs without closing its sockets. A link keeps trying, and notices.

use std::sync::Arc;
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, ErrorKind, PushInfo, PushKind, RedisError,
    ServerErrorKind,
};
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use super::error::Unanswered;
use crate::vitals::tireless;

/// How long connecting may take, including the handshake.
const CONNECT: Duration = Duration::from_millis(700);
/// How often a healthy connection is pinged.
const PING: Duration = Duration::from_secs(1);
/// How long the answer to a ping may take.
pub const PONG: Duration = Duration::from_millis(800);
/// How often a server that is loading its data is asked whether it has finished.
const LOADING: Duration = Duration::from_millis(50);
/// The wait between two attempts to connect: the first one and the longest one.
const RETRY: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(400));
/// How long a caller waits for a Redis that was unreachable a moment ago, because it may come back at any time.
const PATIENCE: Duration = Duration::from_millis(200);
/// The most commands that can wait to be written.
const PIPELINE: usize = 1_024;

/// The state of a connection.
#[derive(Clone)]
enum State {
    /// The first attempt since the last connection is under way.
    Connecting,
    Up(MultiplexedConnection),
    /// The latest attempt failed. Another will follow.
    Down(Arc<RedisError>),
}

/// A change of a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The connection is lost.
    Lost,
    /// The connection is up.
    Up,
    /// The connection is up, to another server than before, which had become read-only.
    Elsewhere,
}

/// A connection that is kept up. Dropping it closes it.
pub struct Link {
    state: watch::Receiver<State>,
    suspicion: Arc<Notify>,
    keeper: AbortHandle,
}

/// A connection's configuration, with a callback for push messages.
pub fn config(pushed: impl Fn(PushInfo) + Send + Sync + 'static) -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_connection_timeout(None)
        .set_response_timeout(None)
        .set_pipeline_buffer_size(PIPELINE)
        .set_push_sender(move |info: PushInfo| {
            pushed(info);
            Ok::<_, ()>(())
        })
}

/// Connects once, within [`CONNECT`].
pub async fn connect(
    client: &Client,
    config: &AsyncConnectionConfig,
) -> Result<MultiplexedConnection, RedisError> {
    let connecting = client.get_multiplexed_async_connection_with_config(config);
    match timeout(CONNECT, connecting).await {
        Ok(connected) => connected,
        Err(late) => Err(std::io::Error::from(late).into()),
    }
}

/// Waits until the connection stops answering or is suspected. Returns whether it still answers.
pub async fn watch_over(connection: &mut MultiplexedConnection, suspicion: &Notify) -> bool {
    loop {
        let suspected = tokio::select! {
            () = sleep(PING) => false,
            () = suspicion.notified() => true,
        };
        let answers = answers(connection).await;
        if suspected || !answers {
            return answers;
        }
    }
}

/// True if the connection answers a ping in time.
pub async fn answers(connection: &mut MultiplexedConnection) -> bool {
    let ping = ::redis::cmd("PING");
    let answer = timeout(PONG, ping.query_async::<::redis::Value>(connection)).await;
    match answer {
        Ok(Ok(_)) => true,
        // An error is an answer too, for instance while the server loads its data.
        Ok(Err(error)) => !error.is_io_error() && !error.is_unrecoverable_error(),
        Err(_) => false,
    }
}

/// Waits while the server loads its data. Until then it accepts subscriptions, but no other commands.
pub async fn loaded(connection: &mut MultiplexedConnection, key: &str) -> Result<(), RedisError> {
    let mut ask = ::redis::cmd("EXISTS");
    ask.arg(key);
    loop {
        match timeout(PONG, ask.query_async::<::redis::Value>(connection)).await {
            Ok(Err(error)) if error.kind() == ErrorKind::Server(ServerErrorKind::BusyLoading) => {}
            Ok(Err(error)) if error.is_io_error() => return Err(error),
            // In a cluster another server may have the key; a redirect is an answer too.
            Ok(_) => return Ok(()),
            Err(late) => return Err(std::io::Error::from(late).into()),
        }
        sleep(LOADING).await;
    }
}

/// The wait before the next attempt, which grows.
pub struct Backoff(Duration);

impl Backoff {
    /// Starts with the shortest wait.
    pub fn new() -> Self {
        Self(RETRY.0)
    }

    /// Waits, longer each time.
    pub async fn wait(&mut self) {
        sleep(self.0).await;
        self.0 = (self.0 * 2).min(RETRY.1);
    }
}

impl Link {
    /// Starts to connect, and reconnects until dropped. Calls `changed` whenever the connection comes or goes. A server
    /// that refuses `write` because it is read-only counts as lost: after a failover, a new connection to its address
    /// may reach the new primary, but the open one never does.
    pub fn start(
        info: ConnectionInfo,
        write: Option<Cmd>,
        changed: impl Fn(Change) + Send + Sync + 'static,
    ) -> Result<Self, RedisError> {
        let client = Client::open(info)?;
        let (tell, state) = watch::channel(State::Connecting);
        let suspicion = Arc::new(Notify::new());
        let suspected = Arc::clone(&suspicion);
        let keeper = tokio::spawn(async move {
            tireless("connection to Redis", || {
                keep(&client, write.as_ref(), &tell, &suspected, &changed)
            })
            .await;
        });
        Ok(Self {
            state,
            suspicion,
            keeper: keeper.abort_handle(),
        })
    }

    /// The connection. Waits for it while it may be up soon.
    ///
    /// # Errors
    /// Redis cannot be reached.
    pub async fn get(&self) -> Result<MultiplexedConnection, Unanswered> {
        let mut state = self.state.clone();
        loop {
            let failed = match &*state.borrow_and_update() {
                State::Up(connection) => return Ok(connection.clone()),
                State::Connecting => None,
                State::Down(error) => Some(Arc::clone(error)),
            };
            let changed = match &failed {
                None => state.changed().await.is_ok(),
                Some(error) => match timeout(PATIENCE, state.changed()).await {
                    Ok(changed) => changed.is_ok(),
                    Err(_) => return Err(Unanswered::Away(Arc::clone(error))),
                },
            };
            if !changed {
                return Err(Unanswered::Closed);
            }
        }
    }

    /// True if the connection is up, as far as is known.
    pub fn is_up(&self) -> bool {
        matches!(&*self.state.borrow(), State::Up(_))
    }

    /// Checks the connection now, because a command got no answer.
    pub fn suspect(&self) {
        self.suspicion.notify_one();
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

async fn keep(
    client: &Client,
    write: Option<&Cmd>,
    state: &watch::Sender<State>,
    suspicion: &Arc<Notify>,
    changed: &(impl Fn(Change) + Send + Sync),
) {
    let address = client.get_connection_info().addr().to_string();
    let told = Arc::clone(suspicion);
    let config = config(move |info| {
        if info.kind == PushKind::Disconnection {
            told.notify_one();
        }
    });
    let mut backoff = Backoff::new();
    let (mut away, mut read_only) = (false, false);
    loop {
        match connect_for_writing(client, &config, write).await {
            Ok(mut connection) => {
                if away {
                    tracing::info!(%address, "Redis is back");
                }
                state.send_replace(State::Up(connection.clone()));
                changed(if read_only { Change::Elsewhere } else { Change::Up });
                (backoff, read_only) = (Backoff::new(), false);
                while watch_over(&mut connection, suspicion).await
                    && takes(&mut connection, write).await.is_ok()
                {}
                tracing::warn!(%address, "the connection to Redis is lost");
                away = true;
                state.send_replace(State::Connecting);
                changed(Change::Lost);
            }
            Err(error) => {
                if is_read_only(&error) && !std::mem::replace(&mut read_only, true) {
                    tracing::error!(%address, "Redis is a read-only replica now; waiting for its primary at this address");
                }
                tracing::debug!(%address, %error, "Redis cannot be reached");
                state.send_replace(State::Down(Arc::new(error)));
                changed(Change::Lost);
                backoff.wait().await;
            }
        }
    }
}

async fn connect_for_writing(
    client: &Client,
    config: &AsyncConnectionConfig,
    write: Option<&Cmd>,
) -> Result<MultiplexedConnection, RedisError> {
    let mut connection = connect(client, config).await?;
    takes(&mut connection, write).await?;
    Ok(connection)
}

/// Fails if the server is read-only. Other errors are no reason for another connection.
async fn takes(connection: &mut MultiplexedConnection, write: Option<&Cmd>) -> Result<(), RedisError> {
    let Some(write) = write else { return Ok(()) };
    match timeout(PONG, write.query_async::<::redis::Value>(connection)).await {
        Ok(Err(error)) if is_read_only(&error) => Err(error),
        _ => Ok(()),
    }
}

/// True if the error says that the server is read-only.
pub fn is_read_only(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
}
