//! What every handler shares.

use std::sync::Arc;

use backend::Vitals;
use chat::{ChatError, Hub, SessionDigest};
use protocol::SessionToken;
use socketioxide::SocketIo;
use tokio_util::task::TaskTracker;

use crate::http::render::Renderer;
use crate::limits::Gate;
use crate::live::{Budget, Fanout, Guests};
use crate::metrics::Metrics;
use crate::names::Names;
use crate::origins::Origins;
use crate::proxies::Proxies;
use crate::readiness::Readiness;
use crate::session::Sessions;
use crate::site::Site;
use crate::socket::lines::Lines;
use crate::socket::logins::Logins;
use crate::socket::server::Server;
use crate::storage::Storage;

/// The state that every handler shares. Cheap to clone.
#[derive(Clone)]
pub struct State(Arc<Shared>);

/// The parts of [`State`].
pub struct Shared {
    /// The use cases of the chat.
    pub hub: Hub,
    /// Rates and caps.
    pub gate: Gate,
    pub sessions: Sessions,
    pub site: Site,
    pub metrics: Metrics,
    /// The budget for bytes that wait for slow readers.
    pub budget: Budget,
    /// Sends what happens in rooms to their connections.
    pub fanout: Fanout,
    /// Guests who receive the lobby's events through the namespace `/`.
    pub guests: Guests,
    /// The Socket.IO server and its HTTP service.
    pub sockets: Server,
    /// Origins besides our own that may connect.
    pub origins: Origins,
    /// The host names of this server.
    pub names: Names,
    pub renderer: Renderer,
    pub proxies: Proxies,
    /// The lines of all connections.
    pub lines: Lines,
    /// Which connections belong to which session.
    pub logins: Logins,
    /// Tasks that must end before the storage closes.
    pub tasks: TaskTracker,
    /// Threads and tasks that the process cannot run without.
    pub vitals: Vitals,
    /// Whether this process should receive traffic.
    pub readiness: Readiness,
    /// The truth and the bus.
    pub storage: Storage,
}

impl std::ops::Deref for State {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl State {
    /// Wraps the parts for sharing.
    pub fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    pub fn io(&self) -> &SocketIo {
        &self.sockets.io
    }

    /// Ends a session. Once this returns, the session is refused here at once, and on other replicas within a second.
    ///
    /// # Errors
    /// If the storage does not answer; the session then stays valid.
    pub async fn sign_out(&self, token: &SessionToken) -> Result<(), ChatError> {
        self.hub.sign_out(token).await?;
        self.logins.end(&SessionDigest::of(token));
        Ok(())
    }
}
