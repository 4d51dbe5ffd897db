//! Watches the threads and tasks that must live as long as the process.
//!
//! A panic ends a thread or task silently, and what depends on it waits forever. So everything that runs as long as the
//! process is started here. If restarting is safe, it is restarted. Otherwise its death is reported, and the server
//! stops being ready and exits, so that a supervisor restarts it.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::watch;
use tokio::time::sleep;

/// The wait before restarting a task that panicked.
const AGAIN: Duration = Duration::from_secs(1);

/// The long-lived threads and tasks of a process. Clones share them.
#[derive(Clone)]
pub struct Vitals(Arc<watch::Sender<Option<&'static str>>>);

impl Default for Vitals {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }
}

impl Vitals {
    /// The name of what died first, if anything has.
    pub fn dead(&self) -> Option<&'static str> {
        *self.0.borrow()
    }

    /// Waits until something dies, and returns its name.
    pub async fn death(&self) -> &'static str {
        let mut state = self.0.subscribe();
        match state.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(name)) => name,
            // The sender lives as long as this.
            _ => std::future::pending().await,
        }
    }

    /// Starts a thread that the process cannot work without.
    ///
    /// # Errors
    /// The system cannot start a thread.
    pub fn thread(
        &self,
        name: &'static str,
        body: impl FnOnce() + Send + 'static,
    ) -> io::Result<JoinHandle<()>> {
        let vitals = self.clone();
        std::thread::Builder::new()
            .name(format!("hubbub-{name}"))
            .spawn(move || {
                if catch_unwind(AssertUnwindSafe(body)).is_err() {
                    vitals.died(name);
                }
            })
    }

    /// Wraps a task that the process cannot work without; spawn the result. Aborting it is not a death.
    pub async fn vital(self, name: &'static str, task: impl Future<Output = ()>) {
        if AssertUnwindSafe(task).catch_unwind().await.is_err() {
            self.died(name);
        }
    }

    /// Reports that something has died without which the process cannot work.
    pub fn died(&self, name: &'static str) {
        tracing::error!(part = name, "a part of the server has died");
        // Report the first death: later ones may be its consequences.
        self.0
            .send_if_modified(|dead| dead.is_none() && dead.replace(name).is_none());
    }
}

/// Wraps a task that restarts after a panic; spawn the result. Ends when a run ends without a panic.
pub async fn tireless<F: Future<Output = ()>>(name: &'static str, start: impl Fn() -> F) {
    while AssertUnwindSafe(async { start().await })
        .catch_unwind()
        .await
        .is_err()
    {
        tracing::error!(part = name, "a part of the server has failed and starts again");
        sleep(AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_death_is_reported() {
        let vitals = Vitals::default();
        let well = vitals.thread("well", || {}).unwrap();
        well.join().unwrap();
        tokio::spawn(vitals.clone().vital("well too", async {}))
            .await
            .unwrap();
        assert_eq!(vitals.dead(), None, "an end is not a death");
        let thread = vitals.thread("writer", || panic!("on purpose")).unwrap();
        thread.join().unwrap();
        assert_eq!(vitals.death().await, "writer");
        let task = vitals.clone().vital("task", async { panic!("on purpose") });
        tokio::spawn(task).await.unwrap();
        assert_eq!(vitals.dead(), Some("writer"), "the first one is reported");
    }

    #[tokio::test]
    async fn a_tireless_task_restarts_after_a_panic() {
        let runs = AtomicU32::new(0);
        tireless("test", async || {
            assert!(runs.fetch_add(1, Ordering::Relaxed) > 0, "on purpose");
        })
        .await;
        assert_eq!(runs.into_inner(), 2);
    }
}
