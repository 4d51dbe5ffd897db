//! Which server is the primary, as the writer knows it. Everything else connects there.

use std::time::Duration;

use chat::StoreError;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout_at};

use super::error::{Closed, Fault};

/// Callers wait this long for a primary. After that, they fail at once until it is back.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Clone)]
enum State {
    /// The writer looks for the primary, since then, and this is why it has none.
    Searching(Instant, Option<Fault>),
    Up(Primary),
    Closed,
}

/// A server, for as long as the writer's connection to it lasts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Primary {
    /// Its number in the URL.
    pub host: usize,
    life: u64,
}

/// What is known of the primary.
pub struct Lead {
    state: watch::Sender<State>,
    suspicion: Notify,
}

impl Default for Lead {
    fn default() -> Self {
        Self {
            state: watch::Sender::new(State::Searching(Instant::now(), None)),
            suspicion: Notify::new(),
        }
    }
}

impl Lead {
    /// The writer has connected to this host.
    pub fn found(&self, host: usize, life: u64) {
        self.change(State::Up(Primary { host, life }));
    }

    /// The writer has no connection.
    pub fn lost(&self, why: Option<Fault>) {
        let since = match &*self.state.borrow() {
            State::Searching(since, _) => *since,
            _ => Instant::now(),
        };
        self.change(State::Searching(since, why));
    }

    /// Nobody connects any more.
    pub fn close(&self) {
        self.change(State::Closed);
    }

    fn change(&self, to: State) {
        self.state.send_if_modified(|state| {
            let open = !matches!(state, State::Closed);
            if open {
                *state = to;
            }
            open
        });
    }

    /// The primary. Waits for it while it may be found soon.
    ///
    /// # Errors
    /// No server can be reached, or the backend was closed.
    pub async fn primary(&self) -> Result<Primary, StoreError> {
        let mut state = self.state.subscribe();
        loop {
            let (until, why) = match &*state.borrow_and_update() {
                State::Up(primary) => return Ok(*primary),
                State::Closed => return Err(StoreError::failed(Closed)),
                State::Searching(since, why) => (*since + PATIENCE, why.clone()),
            };
            if timeout_at(until, state.changed()).await.is_err() {
                return Err(why.unwrap_or(Fault::Late).into());
            }
        }
    }

    /// Waits until another one is the primary, or the same one again, through another connection.
    pub async fn replaced(&self, primary: Primary) {
        let mut state = self.state.subscribe();
        let other = |state: &State| matches!(state, State::Up(up) if *up != primary);
        // The sender lives as long as this.
        let _ = state.wait_for(other).await;
    }

    /// Fails if the primary has been away for long.
    ///
    /// # Errors
    /// As [`Lead::primary`].
    pub fn hope(&self) -> Result<(), StoreError> {
        match &*self.state.borrow() {
            State::Searching(since, why) if since.elapsed() > PATIENCE => {
                Err(why.clone().unwrap_or(Fault::Late).into())
            }
            State::Closed => Err(StoreError::failed(Closed)),
            _ => Ok(()),
        }
    }

    /// Asks the writer to look for another primary, because this one does not answer.
    pub fn suspect(&self) {
        self.suspicion.notify_one();
    }

    /// Waits until somebody suspects the primary.
    pub async fn suspected(&self) {
        self.suspicion.notified().await;
    }
}
