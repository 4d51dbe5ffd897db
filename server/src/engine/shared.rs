//! What all sessions of the process share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use prometheus_client::metrics::counter::Counter;
use socketioxide_core::Sid;

use super::addresses::{Addresses, Refused, Seat};
use super::caller::Caller;
use super::gate::Rules;
use super::peer::Peer;
use super::peers::Peers;
use super::request::Problem;
use super::session::Sessions;
use crate::config::Limits;
use crate::live::Budget;
use crate::session;

/// The delay before a refusal for an address at its cap. Without it, clients would retry in a tight loop.
const REFUSAL: Duration = Duration::from_secs(1);

/// What the process provides to the engine.
pub struct Given {
    pub cookies: session::Sessions,
    /// The budget for bytes that wait for slow readers.
    pub budget: Budget,
    /// Counts slow readers that are cut off.
    pub slow: Counter,
}

/// Asks the library which connections it still knows.
pub trait Knows: Send + Sync {
    /// True if the library still knows this session in this namespace.
    fn knows(&self, namespace: &str, sid: Sid) -> bool;
}

/// The state that all sessions share.
pub struct Shared {
    pub(super) rules: Rules,
    /// The most bytes of one message, and of one POST.
    pub(super) max_payload: usize,
    ping: (Duration, Duration),
    pub(super) addresses: Addresses,
    pub(super) sessions: Sessions,
    pub(super) peers: Peers<Peer>,
    pub(super) library: Arc<dyn Knows>,
    pub(super) given: Given,
}

impl Shared {
    /// State without sessions.
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

    /// Takes a seat for a new session of this caller, and waits until the session may open.
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

    /// The first packet of a session. The library's own greeting lacks the upgrades.
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
