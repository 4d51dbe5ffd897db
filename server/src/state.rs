//! What everything in this process shares, and how it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use backend::{Vitals, tireless};
use chat::hub::Ports;
use chat::{ChatError, Hub, SessionDigest};
use protocol::SessionToken;
use socketioxide::SocketIo;
use tokio_util::task::TaskTracker;

use crate::config::{Config, Limits};
use crate::http::render::Renderer;
use crate::http::target::Names;
use crate::limits::Gate;
use crate::live::{BUDGET, Budget, Fanout, Guests};
use crate::metrics::Metrics;
use crate::origins::Origins;
use crate::proxies::Proxies;
use crate::readiness::Readiness;
use crate::session::Sessions;
use crate::shutdown::Deadline;
use crate::site::Site;
use crate::socket::{Lines, Logins};
use crate::storage::Storage;

/// What tasks leave of the time to stop, so that the storage can close.
const STORAGE: Duration = Duration::from_millis(2_500);

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
    pub sockets: crate::socket::Server,
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
    /// What the storage last said about itself.
    pub readiness: Readiness,
    /// Where everything is kept.
    pub storage: Storage,
    draining: AtomicBool,
}

impl std::ops::Deref for State {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl State {
    /// Opens the storage and builds everything on it.
    ///
    /// # Errors
    /// A sentence that says what cannot be used and why.
    pub async fn open(config: Config) -> Result<Self, Box<dyn std::error::Error>> {
        Self::open_with(config, |ports| ports, crate::socket::Server::new).await
    }

    /// The same with something between the hub and the storage, and with another Socket.IO server.
    ///
    /// # Errors
    /// As for [`State::open`].
    pub async fn open_with(
        config: Config,
        ports: impl FnOnce(Ports) -> Ports,
        sockets: impl FnOnce(&Limits) -> crate::socket::Server,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let Config {
            addr,
            url,
            data_dir,
            redis_url,
            site_dir,
            session_key,
            origins,
            proxies,
            limits,
            ..
        } = config;
        let site = Site::find(&site_dir)?;
        let storage = Storage::open(redis_url.as_deref(), &data_dir).await?;
        let sessions = storage.sessions(session_key.as_deref(), &data_dir).await?;
        let hub = Hub::open(ports(storage.ports()))
            .await?
            .with_message_chars(limits.message_chars);
        let gate = Gate::new(limits);
        let forgetting = gate.clone();
        tokio::spawn(tireless("table of addresses", move || {
            forgetting.clone().forget_idle()
        }));
        let sockets = sockets(gate.limits());
        let tasks = TaskTracker::new();
        let metrics = Metrics::new();
        let budget = Budget::new(BUDGET, metrics.waiting.clone(), metrics.cut.clone());
        let guests = Guests::default();
        let (rooms, packs) = (metrics.rooms.clone(), metrics.packs.clone());
        let fanout = Fanout::new(hub.clone(), guests.clone(), rooms, packs);
        let state = Self(Arc::new(Shared {
            fanout,
            guests,
            hub,
            gate,
            sessions,
            site,
            metrics,
            budget,
            sockets,
            origins,
            names: Names::new(url, addr.ip(), proxies.any()),
            renderer: Renderer::new(),
            proxies,
            tasks,
            vitals: storage.vitals(),
            storage,
            lines: Lines::default(),
            logins: Logins::default(),
            readiness: Readiness::default(),
            draining: AtomicBool::new(false),
        }));
        crate::socket::listen(&state);
        Ok(state)
    }

    /// The Socket.IO server.
    pub fn io(&self) -> &SocketIo {
        &self.sockets.io
    }

    /// The sessions of Socket.IO.
    pub fn engine(&self) -> &crate::engine::Engine {
        &self.sockets.engine
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

    /// Whether the process is on its way out.
    pub fn draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Stops being ready, tells every client to come back, and closes their connections.
    pub async fn drain(&self, deadline: Deadline) {
        self.draining.store(true, Ordering::Relaxed);
        crate::socket::say_goodbye(self, deadline).await;
        self.lines.end();
    }

    /// Waits for what was taken up, then closes the storage.
    pub async fn close(&self, deadline: Deadline) {
        self.tasks.close();
        if deadline.leaving(STORAGE, self.tasks.wait()).await.is_none() {
            tracing::warn!(tasks = self.tasks.len(), "some tasks did not end in time");
        }
        match deadline.leaving(Duration::ZERO, self.storage.close()).await {
            Some(()) => tracing::info!("stopped"),
            None => tracing::warn!("the storage did not close in time; what was acknowledged is safe"),
        }
    }
}
