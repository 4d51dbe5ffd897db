//! What all sessions of the process share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use prometheus_client::metrics::counter::Counter;
use socketioxide_core::Sid;

use super::addresses::{Addresses, Refused, Seat};
use super::caller::Caller;
use super::gate::Rules;
use super::peers::Peers;
use super::request::Problem;
use super::session::Sessions;
use crate::config::Limits;
use crate::live::Budget;
use crate::session;

/// How long a request that is refused for its address waits for the answer: otherwise refusing is all that we do.
const REFUSAL: Duration = Duration::from_secs(1);

/// What the process gives to the engine.
pub struct Given {
    /// Session cookies.
    pub cookies: session::Sessions,
    /// What waits for peers that have not read it yet.
    pub budget: Budget,
    /// Counts peers that are cut off because they do not read.
    pub slow: Counter,
}

/// Says what the library knows.
pub trait Knows: Send + Sync {
    /// Whether it still knows a session in a namespace.
    fn knows(&self, namespace: &str, sid: Sid) -> bool;
}

/// Shared by every session.
pub struct Shared {
    pub(super) rules: Rules,
    /// Bytes of one message, and of one post.
    pub(super) max_payload: usize,
    ping: (Duration, Duration),
    pub(super) addresses: Addresses,
    pub(super) sessions: Sessions,
    pub(super) peers: Peers,
    pub(super) library: Arc<dyn Knows>,
    pub(super) given: Given,
}

impl Shared {
    /// No session yet.
    pub(super) fn new(
        limits: &Limits,
        max_payload: usize,
        rules: Rules,
        library: Arc<dyn Knows>,
        given: Given,
    ) -> Self {
        Self {
            rules,
            max_payload,
            ping: limits.ping,
            addresses: Addresses::new(limits),
            sessions: Sessions::default(),
            peers: Peers::default(),
            library,
            given,
        }
    }

    /// A place for a new session of this caller, once it may be opened.
    pub(super) async fn seat(&self, caller: &Caller) -> Result<Seat, Problem> {
        match self
            .addresses
            .seat(caller.address.counted(), Instant::now().into())
        {
            Ok((seat, wait)) => {
                if !wait.is_zero() {
                    tokio::time::sleep(wait).await;
                }
                Ok(seat)
            }
            Err(Refused { after }) => {
                tokio::time::sleep(REFUSAL).await;
                Err(Problem::TooMany(after))
            }
        }
    }

    /// The first packet of a session. The library has one of its own, which knows nothing of upgrades.
    pub(super) fn greeting(&self, sid: &str, upgrades: &str) -> String {
        let (interval, timeout) = self.ping;
        format!(
            "0{{\"sid\":\"{sid}\",\"upgrades\":[{upgrades}],\"pingInterval\":{},\"pingTimeout\":{},\"maxPayload\":{}}}",
            interval.as_millis(),
            timeout.as_millis(),
            self.max_payload
        )
    }
}
