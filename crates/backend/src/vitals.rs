//! Whether everything lives that has to live as long as the process.
//!
//! A panic ends a thread or a task quietly, and what depended on it waits for ever. So whatever runs for the life of
//! the process is started here. Where starting again is safe, that is what happens; otherwise the death is told, and
//! the server stops being ready and ends, so that a supervisor starts it anew.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::watch;
use tokio::time::sleep;

/// Before something that panicked starts again.
const AGAIN: Duration = Duration::from_secs(1);

/// The long-lived threads and tasks of one process. A clone knows the same ones.
#[derive(Clone)]
pub struct Vitals(Arc<watch::Sender<Option<&'static str>>>);

impl Default for Vitals {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }
}

impl Vitals {
    /// What has died, if anything has.
    pub fn dead(&self) -> Option<&'static str> {
        *self.0.borrow()
    }

    /// Waits until something has died, and says what.
    pub async fn death(&self) -> &'static str {
        let mut state = self.0.subscribe();
        match state.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(name)) => name,
            // The sender lives as long as this.
            _ => std::future::pending().await,
        }
    }

    /// Starts a thread that nothing works without.
    ///
    /// # Errors
    /// If the system has no thread for it.
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

    /// A task that nothing works without, to be spawned. Aborting it is no death.
    pub async fn vital(self, name: &'static str, task: impl Future<Output = ()>) {
        if AssertUnwindSafe(task).catch_unwind().await.is_err() {
            self.died(name);
        }
    }

    fn died(&self, name: &'static str) {
        tracing::error!(part = name, "a part of the server has died");
        // The first death is the one to tell; later ones may follow from it.
        self.0
            .send_if_modified(|dead| dead.is_none() && dead.replace(name).is_none());
    }
}

/// A task that starts from scratch after a panic, to be spawned. Ends when one run of it ends.
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
    async fn a_death_is_told() {
        let vitals = Vitals::default();
        let well = vitals.thread("well", || {}).unwrap();
        well.join().unwrap();
        tokio::spawn(vitals.clone().vital("well too", async {}))
            .await
            .unwrap();
        assert_eq!(vitals.dead(), None, "an end is no death");
        let thread = vitals.thread("writer", || panic!("on purpose")).unwrap();
        thread.join().unwrap();
        assert_eq!(vitals.death().await, "writer");
        let task = vitals.clone().vital("task", async { panic!("on purpose") });
        tokio::spawn(task).await.unwrap();
        assert_eq!(vitals.dead(), Some("writer"), "the first one is told");
    }

    #[tokio::test]
    async fn what_may_start_again_does() {
        let runs = AtomicU32::new(0);
        tireless("test", async || {
            assert!(runs.fetch_add(1, Ordering::Relaxed) > 0, "on purpose");
        })
        .await;
        assert_eq!(runs.into_inner(), 2);
    }
}
