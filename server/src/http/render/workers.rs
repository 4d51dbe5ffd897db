//! The threads that render and compress. They have a lower priority than those that serve sockets: where both want the
//! same processor, a message goes first and a page takes a little longer.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// How much lower: of a processor that both want, the sockets' threads get nine tenths.
const NICE: i32 = 10;

/// How many there are: half of this machine's processors, and at least one.
pub fn count() -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    (processors / 2).max(1)
}

/// Runs a job there. It may take as long as it takes.
pub fn spawn<T: Send + 'static>(job: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    match workers() {
        Some(workers) => workers.spawn(job),
        // No threads left: better here than not at all.
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
            // Of this thread, on Linux. It does not matter much where it cannot be had.
            if let Err(error) = rustix::process::setpriority_process(None, NICE) {
                tracing::debug!(%error, "pages are rendered with the priority of everything else");
            }
        })
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn its_threads_let_others_go_first() {
        let nice = || rustix::process::getpriority_process(None).unwrap();
        let before = nice();
        assert!(spawn(async move { nice() }).await.unwrap() >= NICE);
        assert_eq!(nice(), before, "and nobody else");
    }
}
