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

/// Shared by every handler. Cheap to clone.
#[derive(Clone)]
pub struct State(Arc<Shared>);

/// The parts.
pub struct Shared {
    /// The chat.
    pub hub: Hub,
    /// Rates and caps.
    pub gate: Gate,
    /// Session cookies.
    pub sessions: Sessions,
    /// The built site.
    pub site: Site,
    /// Figures.
    pub metrics: Metrics,
    /// What waits for peers that have not read it yet.
    pub budget: Budget,
    /// From the rooms to the sockets.
    pub fanout: Fanout,
    /// Those who hear the lobby through the namespace `/`.
    pub guests: Guests,
    /// The Socket.IO server and its HTTP service.
    pub sockets: Server,
    /// Origins that may connect beside our own.
    pub origins: Origins,
    /// The host names that are ours.
    pub names: Names,
    /// Renders pages.
    pub renderer: Renderer,
    /// Proxies in front of us.
    pub proxies: Proxies,
    /// The connections to the namespaces.
    pub lines: Lines,
    /// Which connections belong to which session.
    pub logins: Logins,
    /// Every task that must be over before the storage closes.
    pub tasks: TaskTracker,
    /// The threads and tasks that the process cannot live without.
    pub vitals: Vitals,
    /// Whether this process should get traffic.
    pub readiness: Readiness,
    /// Where everything is kept.
    pub storage: Storage,
}

impl std::ops::Deref for State {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl State {
    /// Has the parts shared.
    pub fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    /// The Socket.IO server.
    pub fn io(&self) -> &SocketIo {
        &self.sockets.io
    }

    /// Ends a session: nobody acts in its name once this has returned, on other replicas within a second.
    ///
    /// # Errors
    /// If the storage does not answer; then the session goes on.
    pub async fn sign_out(&self, token: &SessionToken) -> Result<(), ChatError> {
        self.hub.sign_out(token).await?;
        self.logins.end(&SessionDigest::of(token));
        Ok(())
    }
}
