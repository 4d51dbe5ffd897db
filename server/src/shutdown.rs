//! When to stop, and by when everything must be over.

use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, timeout_at};

use crate::log::Log;
use crate::state::State;

/// From the signal to the end of an orderly stop. We promise ten seconds.
const LIMIT: Duration = Duration::from_millis(7_500);
/// What the promise leaves for a process that is stuck: after it the process ends without an orderly stop.
const STUCK: Duration = Duration::from_millis(1_000);

/// A part of the server has died; the process has stopped because of it.
#[derive(Debug, thiserror::Error)]
#[error(
    "the {0} has died, and hubbub cannot run without it; restart hubbub, and report the log lines before this one"
)]
struct Died(&'static str);

/// By when everything must be over. Every step of a stop gets what the steps before it left.
#[derive(Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// Begins now, and ends the process if a thread or a disk stands still.
    fn begin(log: &Log) -> Self {
        let log = log.clone();
        // Not a task: the runtime may be what is stuck. Without a thread to spare, the stop is still orderly.
        let _ = std::thread::Builder::new().spawn(move || {
            std::thread::sleep(LIMIT + STUCK);
            log.say("hubbub: something is stuck; ending without it");
            log.finish();
            std::process::exit(1);
        });
        Self(Instant::now() + LIMIT)
    }

    /// Waits for `work`, but leaves `later` to what comes after it. None: it was not over by then.
    pub async fn leaving<T>(self, later: Duration, work: impl Future<Output = T>) -> Option<T> {
        timeout_at(self.0 - later, work).await.ok()
    }
}

/// Serves until a signal comes or a vital part dies, and stops.
///
/// # Errors
/// If the process cannot listen to signals, or a vital part has died.
pub async fn serve(
    listener: TcpListener,
    state: &State,
    log: &Log,
) -> Result<(), Box<dyn std::error::Error>> {
    let signal = signals()?;
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
    let deadline = crate::listener::serve(listener, state, stop).await;
    state.close(deadline).await;
    match died {
        None => Ok(()),
        Some(part) => Err(Died(part).into()),
    }
}

/// Completes at the first signal that asks to stop.
fn signals() -> std::io::Result<impl Future<Output = &'static str>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut quit = signal(SignalKind::quit())?;
    let mut hangup = if ignores_hangup() {
        None
    } else {
        Some(signal(SignalKind::hangup())?)
    };
    Ok(async move {
        let hung_up = async {
            match &mut hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
            _ = quit.recv() => "SIGQUIT",
            _ = hung_up => "SIGHUP",
        }
    })
}

/// Whether whoever started the process had it ignore SIGHUP, as `nohup` does. To listen would undo that.
fn ignores_hangup() -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        return false;
    };
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // The lowest bit is signal 1.
    ignored.is_some_and(|mask| mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::storage::Storage;

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
        State::open(config.unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn a_writer_that_dies_ends_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let (state, log) = (state(folder.path()).await, Log::start().unwrap());
        let listener = crate::listener::bind(([127, 0, 0, 1], 0).into()).unwrap();
        assert_eq!(state.ready().await, Ok(()));
        let Storage::Embedded(embedded) = &state.storage else {
            panic!("no data folder")
        };
        embedded.kill_writer();
        let ended = serve(listener, &state, &log).await;
        let said = ended.expect_err("it ends as a failure").to_string();
        assert!(said.contains("writer has died"), "{said}");
        assert!(state.ready().await.is_err());
    }
}
