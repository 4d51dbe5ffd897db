//! When to stop.

use tokio::signal::unix::{SignalKind, signal as on};

/// Completes at the first SIGTERM or SIGINT.
///
/// # Errors
/// If the process cannot listen to signals.
pub fn signal() -> std::io::Result<impl Future<Output = ()> + Send> {
    let (mut terminate, mut interrupt) = (on(SignalKind::terminate())?, on(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("SIGTERM: draining"),
            _ = interrupt.recv() => tracing::info!("SIGINT: draining"),
        }
    })
}
