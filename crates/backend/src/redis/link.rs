//! A connection that is kept: watched while it lives, replaced when it is gone, without end.
//!
//! The library's own `ConnectionManager` gives up after some tries until the next command comes, and does not notice
//! a Redis that has stopped without closing its sockets. This does neither.

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

/// How long connecting may take, greeting included.
const CONNECT: Duration = Duration::from_millis(700);
/// How often a connection that seems well is asked.
const PING: Duration = Duration::from_secs(1);
/// How long the answer may take.
pub const PONG: Duration = Duration::from_millis(800);
/// How often a server that reads its data is asked whether it has it.
const LOADING: Duration = Duration::from_millis(50);
/// Between two tries to connect, at first and at most.
const RETRY: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(400));
/// How long a caller waits for a Redis that could not be reached a moment ago: it may be back right now.
const PATIENCE: Duration = Duration::from_millis(200);
/// Commands that may wait to be written.
const PIPELINE: usize = 1_024;

/// How a connection stands.
#[derive(Clone)]
enum State {
    /// The first try since the last good connection is under way.
    Connecting,
    Up(MultiplexedConnection),
    /// The latest try failed; there will be another.
    Down(Arc<RedisError>),
}

/// What happens to a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is gone.
    Lost,
    /// It is there.
    Up,
    /// It is there, and leads to another server than before: the one before had stopped taking writes.
    Elsewhere,
}

/// A kept connection. Dropped, it closes.
pub struct Link {
    state: watch::Receiver<State>,
    suspicion: Arc<Notify>,
    keeper: AbortHandle,
}

/// Configuration of a connection that tells what is pushed to it.
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

/// Waits until the connection does not answer any more, or is suspected; says whether it still answers.
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

/// Whether the connection answers in time.
pub async fn answers(connection: &mut MultiplexedConnection) -> bool {
    let ping = ::redis::cmd("PING");
    let answer = timeout(PONG, ping.query_async::<::redis::Value>(connection)).await;
    match answer {
        Ok(Ok(_)) => true,
        // Loading its data, for instance: it is there, and says so.
        Ok(Err(error)) => !error.is_io_error() && !error.is_unrecoverable_error(),
        Err(_) => false,
    }
}

/// Waits while the server reads its data: until then it lets anybody subscribe, but answers nothing else.
pub async fn loaded(connection: &mut MultiplexedConnection, key: &str) -> Result<(), RedisError> {
    let mut ask = ::redis::cmd("EXISTS");
    ask.arg(key);
    loop {
        match timeout(PONG, ask.query_async::<::redis::Value>(connection)).await {
            Ok(Err(error)) if error.kind() == ErrorKind::Server(ServerErrorKind::BusyLoading) => {}
            Ok(Err(error)) if error.is_io_error() => return Err(error),
            // In a cluster another server may have the key: that is an answer too.
            Ok(_) => return Ok(()),
            Err(late) => return Err(std::io::Error::from(late).into()),
        }
        sleep(LOADING).await;
    }
}

/// The time to wait before each next try.
pub struct Backoff(Duration);

impl Backoff {
    /// After a success.
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
    /// Begins to connect, and goes on until dropped. `changed` is told whenever the connection comes or goes. A server
    /// that refuses `write` because it is read-only counts as not there: after a failover its address may lead to
    /// another one, but a connection that is open does not.
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

    /// The connection, as soon as there is one. Waits as long as that may be soon.
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

    /// Somebody had no answer: look after it now.
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

/// Fails if the server is read-only. Whatever else keeps it from writing is no reason for another connection.
async fn takes(connection: &mut MultiplexedConnection, write: Option<&Cmd>) -> Result<(), RedisError> {
    let Some(write) = write else { return Ok(()) };
    match timeout(PONG, write.query_async::<::redis::Value>(connection)).await {
        Ok(Err(error)) if is_read_only(&error) => Err(error),
        _ => Ok(()),
    }
}

/// Whether a server says that it takes no writes.
pub fn is_read_only(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
}
