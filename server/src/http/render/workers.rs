//! The threads that render and compress. Their priority is lower than that of threads that serve sockets: if both
//! want the same processor, messages go first and pages take a little longer.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// The nice value. When competing for a processor, the sockets' threads get nine tenths of it.
const NICE: i32 = 10;

/// The number of threads: half of the machine's processors, at least one.
pub fn count() -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    (processors / 2).max(1)
}

/// Runs a job on these threads. It may block.
pub fn spawn<T: Send + 'static>(job: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    match workers() {
        Some(workers) => workers.spawn(job),
        // No threads could be started: run the job here.
        None => tokio::spawn(job),
    }
}

fn workers() -> Option<&'static Runtime> {
    static WORKERS: OnceLock<Option<Runtime>> = OnceLock::new();
    WORKERS.get_or_init(|| start().ok()).as_ref()
}

fn start() -> std::io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(count())
        .thread_name("render")
        .on_thread_start(|| {
            // Applies to this thread only, on Linux. Failure is harmless.
            if let Err(error) = rustix::process::setpriority_process(None, NICE) {
                tracing::debug!(%error, "cannot lower the priority of a rendering thread");
            }
        })
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn render_threads_have_a_lower_priority() {
        let nice = || rustix::process::getpriority_process(None).unwrap();
        let before = nice();
        assert!(spawn(async move { nice() }).await.unwrap() >= NICE);
        assert_eq!(nice(), before, "other threads keep theirs");
    }
}
