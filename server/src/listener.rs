//! The accept loop: timeouts, socket options, places for connections, draining.

mod answer;
pub mod app;
mod arriving;
pub mod as_it_is;
mod descriptors;
mod places;
pub mod stream;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::deadline::Deadline;
use crate::live::{Wire, set_options};
use crate::state::State;
use app::App;
use places::Places;
use stream::{Common, Stream};

/// A request's line and headers must be complete within this time.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes buffered of a request while its head is read.
const HEAD: usize = 32 * 1024;
/// Pause after a failed accept. The usual cause is that no descriptors are left, and retrying at once would only
/// spin.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
/// Connections that the kernel queues for us before they are accepted.
const BACKLOG: u32 = 4_096;
/// The part of the stop deadline that requests in flight leave for the steps after them.
const AFTER_REQUESTS: Duration = Duration::from_secs(4);

/// The server cannot listen on the address.
#[derive(Debug, thiserror::Error)]
#[error("HUBBUB_ADDR={addr}: {problem}")]
pub struct BindError {
    addr: SocketAddr,
    problem: String,
}

/// Starts to listen.
///
/// # Errors
/// A sentence with the address and the cause.
pub fn bind(addr: SocketAddr) -> Result<TcpListener, BindError> {
    let listen = || {
        let socket = if addr.is_ipv4() {
            tokio::net::TcpSocket::new_v4()?
        } else {
            tokio::net::TcpSocket::new_v6()?
        };
        socket.set_reuseaddr(true)?;
        socket.bind(addr)?;
        socket.listen(BACKLOG)
    };
    listen().map_err(|error: std::io::Error| {
        let problem = match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                "the port is in use; stop the other program or choose another port".to_owned()
            }
            std::io::ErrorKind::PermissionDenied => {
                "permission denied; ports below 1024 need a privilege".to_owned()
            }
            std::io::ErrorKind::AddrNotAvailable => "this machine does not have that address".to_owned(),
            _ => error.to_string(),
        };
        BindError { addr, problem }
    })
}

/// Serves `app` until `stop` resolves with the deadline. Then runs `drain` and waits for the open connections to end.
pub async fn serve(
    listener: TcpListener,
    state: &State,
    app: App,
    stop: impl Future<Output = Deadline>,
    drain: impl AsyncFnOnce(Deadline),
) -> Deadline {
    let (open, last) = (TaskTracker::new(), CancellationToken::new());
    let places = places(state);
    let (interval, timeout) = state.gate.limits().ping;
    let common = Arc::new(Common {
        silence: interval + timeout,
        shown: state.metrics.tcp.clone(),
    });
    let mut stop = std::pin::pin!(stop);
    let deadline = loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::error!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                    continue;
                }
            },
            deadline = &mut stop => break deadline,
        };
        if let Err(error) = set_options(&stream) {
            tracing::debug!(%peer, %error, "connection gone before it was set up");
            continue;
        }
        let wire = Wire::new(stream, &state.budget, state.metrics.slow.clone());
        // A trusted proxy stands for many clients, so no cap per address applies to it.
        let address = Some(peer.ip()).filter(|address| !state.proxies.trust(*address));
        let ticket = match places.take(address, &wire) {
            Ok(ticket) => ticket,
            Err(refused) => {
                // Closed without an answer: answering would cost what the caps protect.
                state.metrics.turned_away.inc();
                tracing::debug!(%peer, ?refused, "no place for a connection");
                continue;
            }
        };
        let (app, from) = (app.clone(), state.clone());
        let stream = Stream::new(Arc::clone(&wire), ticket, Arc::clone(&common));
        let service = hyper::service::service_fn(move |mut request: http::Request<Incoming>| {
            if request.headers().contains_key(http::header::UPGRADE) {
                wire.becomes_socket();
            }
            let client = from.proxies.client(peer.ip(), request.headers());
            request.extensions_mut().insert(client);
            let (app, from, account) = (app.clone(), from.clone(), Arc::clone(wire.account()));
            async move {
                let answer = answer::answer(app, request, account, &from.metrics).await;
                Ok::<_, Infallible>(answer)
            }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .max_buf_size(HEAD)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let last = last.clone();
        open.spawn(async move {
            let mut connection = std::pin::pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = last.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%peer, %error, "connection ended");
            }
        });
    };
    drop(listener);
    drain(deadline).await;
    last.cancel();
    open.close();
    if deadline.leaving(AFTER_REQUESTS, open.wait()).await.is_none() {
        tracing::info!("some requests did not end in time");
    }
    deadline
}

/// Sizes the places by the number of file descriptors.
fn places(state: &State) -> Places {
    let descriptors = descriptors::raise();
    let connections = descriptors::connections(descriptors);
    tracing::info!(descriptors, connections, "open files and connections, at most");
    let shown = |number| i64::try_from(number).unwrap_or(i64::MAX);
    state.metrics.places.set(shown(connections as u64));
    let limits = state.gate.limits();
    Places::new(
        connections,
        limits.rates.then_some(limits.connections_per_address),
    )
}
