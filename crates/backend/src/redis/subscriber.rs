//! One connection per server that receives published messages and always reconnects.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{Client, ConnectionInfo, PushInfo, PushKind, RedisError, Value};
use futures::future::join_all;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use super::keys::Topic;
use super::link::{self, Backoff, PONG};
use super::subscriptions::Subscriptions;
use super::work::Work;
use crate::vitals::tireless;

/// The wait before a refused subscription is tried again, because its slot may be moving.
const AGAIN: Duration = Duration::from_millis(100);

/// The channels of one connection.
struct Channels {
    /// Topics that are subscribed to.
    subscribed: HashSet<Topic>,
    /// Refused subscriptions, to be tried again.
    refused: Vec<Topic>,
    /// Channels that are being unsubscribed from, to recognise the server's answers.
    leaving: Arc<Mutex<HashSet<String>>>,
}

/// Starts to connect, and reconnects until aborted. Notifies `moved` when a topic turns out to be on another server.
pub fn start(
    info: ConnectionInfo,
    subscriptions: Arc<Subscriptions>,
    work: Arc<Work>,
    moved: Arc<Notify>,
) -> Result<AbortHandle, RedisError> {
    let address = info.addr().to_string();
    let client = Client::open(info)?;
    let task = tokio::spawn(async move {
        let run = || listen(&client, &address, &subscriptions, &work, &moved);
        tireless("subscriber of Redis", run).await;
    });
    Ok(task.abort_handle())
}

/// Connects again and again.
async fn listen(
    client: &Client,
    address: &str,
    subscriptions: &Arc<Subscriptions>,
    work: &Work,
    moved: &Notify,
) {
    let mut backoff = Backoff::new();
    loop {
        // Do this the first time too, because this may be a restart after a panic.
        subscriptions.interrupted(address);
        work.heard.store(false, Ordering::Relaxed);
        match subscribe(client, address, subscriptions, work, moved).await {
            Ok(()) => backoff = Backoff::new(),
            Err(error) => {
                tracing::debug!(%address, %error, "cannot connect to subscribe to Redis' channels")
            }
        }
        work.heard.store(false, Ordering::Relaxed);
        subscriptions.interrupted(address);
        backoff.wait().await;
    }
}

/// Connects, and keeps the wanted channels subscribed for as long as the connection lives.
async fn subscribe(
    client: &Client,
    address: &str,
    subscriptions: &Arc<Subscriptions>,
    work: &Work,
    moved: &Notify,
) -> Result<(), RedisError> {
    let (suspicion, broken) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let leaving = Arc::new(Mutex::new(HashSet::new()));
    let config = {
        let (subscriptions, suspicion, broken) = (
            Arc::clone(subscriptions),
            Arc::clone(&suspicion),
            Arc::clone(&broken),
        );
        let leaving = Arc::clone(&leaving);
        link::config(move |info| match info.kind {
            PushKind::SMessage => deliver(&subscriptions, &info),
            PushKind::Disconnection => suspicion.notify_one(),
            // The server ended a subscription because its slot has moved. The library mistakes that for an answer to a
            // command, so this connection cannot be used any more.
            PushKind::SUnsubscribe if !was_asked(&leaving, &info) => broken.notify_one(),
            _ => {}
        })
    };
    let mut connection = link::connect(client, &config).await?;
    // A follower that is unsure reads the roster at once, so it must be loaded.
    link::loaded(&mut connection, &subscriptions.any_key()).await?;
    let mut channels = Channels {
        subscribed: HashSet::new(),
        refused: Vec::new(),
        leaving,
    };
    work.replace(subscriptions.topics_of(address));
    work.heard.store(true, Ordering::Relaxed);
    let mut watched = connection.clone();
    let watching = async { while link::watch_over(&mut watched, &suspicion).await {} };
    tokio::pin!(watching);
    loop {
        tokio::select! {
            () = &mut watching => break,
            () = work.elsewhere.notified() => break,
            () = broken.notified() => {
                moved.notify_one();
                break;
            }
            () = sleep(AGAIN), if !channels.refused.is_empty() => {
                for topic in channels.refused.drain(..) {
                    work.add(&topic);
                }
                moved.notify_one();
            }
            () = work.more.notified() => {
                let topics = work.take();
                let looking = channels.look_at(&connection, topics, address, subscriptions);
                if !looking.await {
                    break;
                }
            }
        }
    }
    tracing::debug!(%address, "the connection that subscribes to Redis' channels is lost");
    Ok(())
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

fn deliver(subscriptions: &Subscriptions, info: &PushInfo) {
    if let [channel, payload, ..] = info.data.as_slice()
        && let (Some(channel), Some(payload)) = (text(channel), text(payload))
    {
        subscriptions.message(channel, payload);
    }
}

fn was_asked(leaving: &Mutex<HashSet<String>>, info: &PushInfo) -> bool {
    let mut leaving = leaving.lock().unwrap_or_else(PoisonError::into_inner);
    let channel = info.data.first().and_then(text);
    channel.is_some_and(|channel| leaving.remove(channel))
}

impl Channels {
    /// Subscribes to those of these topics that are wanted, and unsubscribes from the others. Returns false if the
    /// connection is lost.
    async fn look_at(
        &mut self,
        connection: &MultiplexedConnection,
        topics: Vec<Topic>,
        address: &str,
        subscriptions: &Subscriptions,
    ) -> bool {
        let mut asked = Vec::new();
        for topic in topics {
            let channel = subscriptions.keys().channel(&topic);
            match subscriptions.wanted(&topic, address) {
                Some(true) => asked.push((topic, "SSUBSCRIBE", channel)),
                Some(false) => {}
                None if self.subscribed.remove(&topic) => {
                    let mut leaving = self.leaving.lock().unwrap_or_else(PoisonError::into_inner);
                    leaving.insert(channel.clone());
                    asked.push((topic, "SUNSUBSCRIBE", channel));
                }
                None => {}
            }
        }
        let answers = asked.into_iter().map(|(topic, command, channel)| {
            let mut connection = connection.clone();
            async move {
                let mut ask = ::redis::cmd(command);
                let answer = ask.arg(channel).query_async::<Value>(&mut connection).await;
                (topic, command, answer)
            }
        });
        let Ok(answers) = timeout(PONG, join_all(answers)).await else {
            return false;
        };
        for (topic, command, answer) in answers {
            match answer {
                Ok(_) if command == "SSUBSCRIBE" => {
                    subscriptions.confirm(&topic, address);
                    self.subscribed.insert(topic);
                }
                Ok(_) => {}
                Err(error) if error.is_io_error() => return false,
                Err(error) => {
                    tracing::debug!(%address, %topic, %error, "cannot subscribe");
                    self.refused.push(topic);
                }
            }
        }
        true
    }
}
