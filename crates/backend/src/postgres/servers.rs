//! The servers of the URL: connects to them, and finds the primary.

use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_postgres::NoTls;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::connection::Connection;
use super::error::{Fault, OpenPostgresError, Refusal};
use super::tls;
use super::url::{Host, Target};

/// How long connecting may take, with TLS and password.
const CONNECT: Duration = Duration::from_secs(3);
/// How long to wait for other servers once one has been found that takes writes.
const OTHERS: Duration = Duration::from_millis(500);

/// An acknowledgement means stored, so a commit waits at least for the disk. A stronger setting stays.
const DURABLE: &str = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

const STATE: &str = "SELECT current_setting('transaction_read_only')::bool, ''";
// A promoted standby begins a new timeline. The file's name begins with it.
const STATE_AND_TIMELINE: &str = "\
    SELECT current_setting('transaction_read_only')::bool,
        CASE WHEN pg_is_in_recovery() THEN '' ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END";

/// The servers of the URL.
pub struct Servers {
    hosts: Vec<Host>,
    tls: Option<MakeRustlsConnect>,
}

/// The primary.
pub struct Found {
    /// Its number in the URL.
    pub host: usize,
    /// A new connection to it.
    pub connection: Connection,
    timeline: String,
}

/// No server can be used. Holds the error that says most.
pub struct NotFound {
    /// The server's number in the URL.
    pub host: usize,
    /// Its error.
    pub fault: Fault,
}

impl Servers {
    /// Prepares to connect.
    pub fn new(target: Target) -> Result<Self, OpenPostgresError> {
        let first = target.hosts.iter().find(|host| host.tls);
        let tls = first.map(|host| {
            tls::connector(target.verified).map_err(|cause| OpenPostgresError::Unreachable {
                server: host.name.clone(),
                cause,
            })
        });
        Ok(Self {
            hosts: target.hosts,
            tls: tls.transpose()?,
        })
    }

    /// True if the URL names one server only.
    pub fn is_one(&self) -> bool {
        self.hosts.len() == 1
    }

    /// A server's name and port, to show.
    pub fn name(&self, host: usize) -> &str {
        self.hosts.get(host).map_or("", |host| &host.name)
    }

    /// Connects to one of the servers.
    pub async fn connect(&self, host: usize) -> Result<Connection, Fault> {
        let connecting = async {
            let host = self.hosts.get(host).ok_or_else(|| Fault::lost("no such host"))?;
            let connection = match &self.tls {
                Some(tls) if host.tls => Connection::open(&host.config, tls.clone()).await?,
                _ => Connection::open(&host.config, NoTls).await?,
            };
            connection.run(DURABLE).await?;
            Ok(connection)
        };
        timeout(CONNECT, connecting).await.unwrap_or(Err(Fault::Late))
    }

    /// Asks all servers at once, and connects to the one that takes writes. If several do, because an old primary came
    /// back after a failover, chooses the one that was promoted last, and then the first in the URL.
    pub async fn find(&self) -> Result<Found, NotFound> {
        let attempts = (0..self.hosts.len()).map(|host| async move {
            let attempt = timeout(CONNECT, self.writable(host)).await;
            attempt
                .unwrap_or(Err(Fault::Late))
                .map_err(|fault| NotFound { host, fault })
        });
        let mut attempts: FuturesUnordered<_> = attempts.collect();
        let mut best: Option<Found> = None;
        let mut worst: Option<NotFound> = None;
        let mut enough = Instant::now() + 2 * CONNECT;
        loop {
            let attempt = tokio::select! {
                attempt = attempts.next() => attempt,
                () = sleep_until(enough) => None,
            };
            match attempt {
                Some(Ok(found)) => {
                    if best.is_none() {
                        enough = Instant::now() + OTHERS;
                    }
                    let order = |found: &Found| (found.timeline.clone(), std::cmp::Reverse(found.host));
                    if best.as_ref().is_none_or(|best| order(&found) > order(best)) {
                        best = Some(found);
                    }
                }
                Some(Err(failed)) => {
                    if worst
                        .as_ref()
                        .is_none_or(|worst| failed.weight() > worst.weight())
                    {
                        worst = Some(failed);
                    }
                }
                None => break,
            }
        }
        let late = NotFound {
            host: 0,
            fault: Fault::Late,
        };
        best.ok_or_else(|| worst.unwrap_or(late))
    }

    async fn writable(&self, host: usize) -> Result<Found, Fault> {
        let connection = self.connect(host).await?;
        let sql = if self.is_one() { STATE } else { STATE_AND_TIMELINE };
        let row = connection.row(sql, &[]).await?;
        if row.try_get(0)? {
            return Err(Fault::Refused(Refusal::read_only()));
        }
        let timeline = row.try_get(1)?;
        Ok(Found {
            host,
            connection,
            timeline,
        })
    }
}

impl NotFound {
    /// How much it says about why no server can be used: a standby is what the other servers of a URL should be.
    fn weight(&self) -> u8 {
        match &self.fault {
            Fault::Refused(refusal) if refusal.is_read_only() => 0,
            Fault::Lost(_) | Fault::Late => 1,
            Fault::Refused(_) => 2,
        }
    }
}
