//! Builds the process, runs it, and ends it. Only the binaries and tests import this.

use std::sync::Arc;
use std::time::Duration;

use backend::tireless;
use chat::Hub;
use chat::hub::Ports;
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use crate::config::{Config, Limits};
use crate::deadline::Deadline;
use crate::engine::Given;
use crate::http::render::Renderer;
use crate::limits::Gate;
use crate::live::{BUDGET, Budget, Fanout, Guests};
use crate::log::Log;
use crate::metrics::Metrics;
use crate::names::Names;
use crate::readiness::Readiness;
use crate::site::Site;
use crate::socket::goodbye::say_goodbye;
use crate::socket::lines::Lines;
use crate::socket::logins::Logins;
use crate::socket::server::Server;
use crate::state::{Shared, State};
use crate::storage::Storage;
use crate::{http, listener, shutdown, socket};

/// The part of the stop deadline that tasks leave for closing the storage.
const STORAGE: Duration = Duration::from_millis(2_500);

/// A vital part of the server died, and the process stopped because of it.
#[derive(Debug, thiserror::Error)]
#[error(
    "the {0} has died, and hubbub cannot run without it; restart hubbub, and report the log lines before this one"
)]
struct Died(&'static str);

/// Opens the storage and builds everything on it.
///
/// # Errors
/// A sentence that says what cannot be used and why.
pub async fn open(config: Config) -> Result<State, Box<dyn std::error::Error>> {
    open_with(config, |ports| ports, Server::new).await
}

/// As [`open`], with a wrapper around the ports and a different constructor for the Socket.IO server.
///
/// # Errors
/// As [`open`].
pub async fn open_with(
    config: Config,
    ports: impl FnOnce(Ports) -> Ports,
    sockets: impl FnOnce(&Limits, Given) -> Server,
) -> Result<State, Box<dyn std::error::Error>> {
    let Config {
        addr,
        url,
        data_dir,
        database_url,
        redis_url,
        site_dir,
        session_key,
        origins,
        proxies,
        limits,
        ..
    } = config;
    let site = Site::find(&site_dir)?;
    let storage = Storage::open(database_url.as_deref(), redis_url.as_deref(), &data_dir).await?;
    let sessions = storage.sessions(session_key.as_deref(), &data_dir).await?;
    let message_chars = limits.message_chars;
    let gate = Gate::new(limits);
    let metrics = Metrics::new();
    let hub = Hub::open(ports(metrics.measure(storage.ports())))
        .await?
        .with_limits(Arc::new(gate.clone()), message_chars);
    let forgetting = gate.clone();
    tokio::spawn(tireless("table of addresses", move || {
        forgetting.clone().forget_idle()
    }));
    let tasks = TaskTracker::new();
    let budget = Budget::new(BUDGET, metrics.waiting.clone(), metrics.cut.clone());
    let given = Given {
        cookies: sessions.clone(),
        budget: budget.clone(),
        slow: metrics.slow.clone(),
    };
    let sockets = sockets(gate.limits(), given);
    let guests = Guests::default();
    let (rooms, packs) = (metrics.rooms.clone(), metrics.packs.clone());
    let fanout = Fanout::new(hub.clone(), guests.clone(), rooms, packs);
    let vitals = storage.vitals();
    let readiness = Readiness::new(hub.clone(), storage.clone(), vitals.clone());
    let state = State::new(Shared {
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
        vitals,
        storage,
        lines: Lines::default(),
        logins: Logins::default(),
        readiness,
    });
    socket::listen(&state);
    Ok(state)
}

/// Serves until a signal arrives or a vital part dies, then stops.
///
/// # Errors
/// If the process cannot listen for signals, or a vital part died.
pub async fn serve(
    listener: TcpListener,
    state: &State,
    log: &Log,
) -> Result<(), Box<dyn std::error::Error>> {
    let signal = shutdown::signals()?;
    if let Some(oddity) = &state.site.oddity {
        tracing::warn!(
            "pages refer to files without a hash in their names: {oddity}; browsers may keep old ones"
        );
    }
    let mut died = None;
    let stop = async {
        tokio::select! {
            name = signal => tracing::info!("{name}: draining"),
            part = state.vitals.death() => died = Some(part),
        }
        Deadline::begin(log)
    };
    let deadline = serve_until(listener, state, stop).await;
    close(state, deadline).await;
    match died {
        None => Ok(()),
        Some(part) => Err(Died(part).into()),
    }
}

/// Serves until `stop` resolves with the deadline. Then reports that it is not ready, tells every client to
/// reconnect, and closes their connections.
pub async fn serve_until(
    listener: TcpListener,
    state: &State,
    stop: impl Future<Output = Deadline>,
) -> Deadline {
    let drain = async |deadline| {
        state.readiness.drain();
        say_goodbye(state, deadline).await;
        state.lines.end();
    };
    listener::serve(listener, state, http::service(state), stop, drain).await
}

/// Waits for the tasks that are still running, then closes the storage.
async fn close(state: &State, deadline: Deadline) {
    state.tasks.close();
    if deadline.leaving(STORAGE, state.tasks.wait()).await.is_none() {
        tracing::warn!(tasks = state.tasks.len(), "some tasks did not end in time");
    }
    match deadline.leaving(Duration::ZERO, state.storage.close()).await {
        Some(()) => tracing::info!("stopped"),
        None => tracing::warn!("the storage did not close in time; what was acknowledged is safe"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readiness::Ready;

    async fn state(folder: &std::path::Path) -> State {
        for file in ["pkg/hubbub.js", "vendor/socket.io-0.0.0.js"] {
            let path = folder.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let config = Config::parse(|name| match name {
            "HUBBUB_SITE_DIR" => Some(folder.display().to_string()),
            "HUBBUB_DATA_DIR" => Some(folder.join("data").display().to_string()),
            _ => None,
        });
        open(config.unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn a_writer_that_dies_ends_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let (state, log) = (state(folder.path()).await, Log::start().unwrap());
        let listener = listener::bind(([127, 0, 0, 1], 0).into()).unwrap();
        assert_eq!(state.readiness.check().await, Ok(Ready::Fully));
        let Storage::Alone { sqlite, .. } = &state.storage else {
            panic!("no data folder")
        };
        sqlite.kill_writer();
        let ended = serve(listener, &state, &log).await;
        let said = ended.expect_err("it ends as a failure").to_string();
        assert!(said.contains("writer has died"), "{said}");
        assert!(state.readiness.check().await.is_err());
    }
}
