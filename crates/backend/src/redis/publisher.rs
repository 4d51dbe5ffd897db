//! Publishes what waits in a server's outbox, many notices at a time.

use std::sync::Arc;
use std::time::Instant;

use ::redis::aio::MultiplexedConnection;
use ::redis::{ErrorKind, RedisError, RedisResult, ServerErrorKind};
use protocol::Opaque;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::keys::Keys;
use super::link::{Link, PONG};
use super::message;
use super::outbox::{Notice, Outbox};
use super::untold::Untold;

/// The publisher of one server.
pub struct Publisher {
    /// This replica's id.
    pub me: Opaque,
    pub keys: Keys,
    /// The server's address, for the log.
    pub address: String,
    pub link: Arc<Link>,
    pub outbox: Arc<Outbox>,
    pub untold: Arc<Untold>,
    /// Notified when a slot turns out to have moved.
    pub moved: Arc<Notify>,
}

impl Publisher {
    /// Publishes for as long as the server exists.
    pub async fn run(&self) {
        // A panic may have left something behind.
        self.outbox.more.notify_one();
        loop {
            self.outbox.more.notified().await;
            while self.publish_some().await {}
        }
    }

    /// Publishes the next notices. Returns false if there are none.
    async fn publish_some(&self) -> bool {
        // Connect first: while that takes long, notices wait, and can share messages.
        let connection = self.link.get().await;
        let notices = self.outbox.take();
        if notices.is_empty() {
            return false;
        }
        match connection {
            Ok(connection) => self.publish(connection, notices).await,
            // The rest would wait in vain, too.
            Err(_) => self.owe(self.outbox.take_all()),
        }
        self.outbox.done();
        true
    }

    async fn publish(&self, mut connection: MultiplexedConnection, notices: Vec<Notice>) {
        let mut commands = ::redis::pipe();
        commands.ignore_errors();
        for notice in &notices {
            let channel = self.keys.channel(&notice.topic());
            commands.cmd("SPUBLISH").arg(channel).arg(self.text(notice));
        }
        let answers = commands.query_async::<Vec<RedisResult<u64>>>(&mut connection);
        let Ok(Ok(answers)) = timeout(PONG, answers).await else {
            // Whether they were published is unknown. Followers recognise what they have.
            self.link.suspect();
            return self.owe(notices);
        };
        let now = Instant::now();
        let mut refused = Vec::new();
        for (notice, answer) in notices.into_iter().zip(answers) {
            match answer {
                Ok(_) => self.told(&notice, now),
                Err(error) => {
                    self.refused(&error);
                    refused.push(notice);
                }
            }
        }
        self.owe(refused);
    }

    fn text(&self, notice: &Notice) -> String {
        match notice {
            Notice::Events(_, events) => message::events(&self.me, events).unwrap_or_else(|| {
                let head = notice.head().map(|(_, head)| head);
                message::look(&self.me, head.as_ref())
            }),
            Notice::Look(_, head) => message::look(&self.me, Some(head)),
            Notice::LookEverywhere => message::look(&self.me, None),
            Notice::Ended(session) => message::ended(&self.me, &[*session]),
            Notice::Unsure => message::unsure(&self.me),
        }
    }

    fn told(&self, notice: &Notice, now: Instant) {
        if let Some((room, head)) = notice.head() {
            self.untold.told(room, &head, now);
        } else if matches!(notice, Notice::Ended(_)) {
            self.untold.told_end(now);
        }
    }

    fn refused(&self, error: &RedisError) {
        match error.kind() {
            ErrorKind::Server(ServerErrorKind::Moved | ServerErrorKind::Ask) => self.moved.notify_one(),
            ErrorKind::Server(
                ServerErrorKind::BusyLoading | ServerErrorKind::TryAgain | ServerErrorKind::ClusterDown,
            ) => {}
            _ => {
                let address = &self.address;
                tracing::warn!(%address, %error, "Redis refuses to tell other replicas; they hear later");
            }
        }
    }

    /// Remembers what was not published: other replicas are told to look later.
    fn owe(&self, notices: Vec<Notice>) {
        owe(&self.untold, notices);
    }
}

/// Remembers what was not published.
pub fn owe(untold: &Untold, notices: impl IntoIterator<Item = Notice>) {
    for notice in notices {
        match notice {
            Notice::Events(..) | Notice::Look(..) => {
                if let Some((room, head)) = notice.head() {
                    untold.owe(room.clone(), head);
                }
            }
            Notice::LookEverywhere => untold.owe_everywhere(),
            Notice::Ended(_) | Notice::Unsure => untold.owe_sessions(),
        }
    }
}
