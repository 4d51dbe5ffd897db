//! The accept loop: timeouts, socket options, a cap per address, and an end.

mod budget;
mod pace;
mod stream;
mod wire;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::shutdown::Deadline;
use crate::state::State;
pub use budget::{Account, BUDGET, Budget, MUCH};
pub use stream::Stream;
pub use wire::Wire;

/// A request's line and headers must be complete after this time.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Sent data must be acknowledged by the peer's kernel within this time, or the connection is dead.
const UNACKNOWLEDGED_TIMEOUT: Duration = Duration::from_secs(25);
/// What the kernel may hold for a peer that reads slowly. Linux doubles it.
const SEND_BUFFER: usize = 64 * 1024;
/// Connections that the kernel holds for us before they are accepted.
const BACKLOG: u32 = 4_096;
/// What requests in flight leave of the time to stop to what comes after them.
const AFTER_REQUESTS: Duration = Duration::from_millis(4_500);

/// The address cannot be listened on.
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
                "this user may not listen there; ports below 1024 need a privilege".to_owned()
            }
            std::io::ErrorKind::AddrNotAvailable => "this machine does not have that address".to_owned(),
            _ => error.to_string(),
        };
        BindError { addr, problem }
    })
}

/// Serves until `stop` says by when everything must be over, then drains.
pub async fn serve(listener: TcpListener, state: &State, stop: impl Future<Output = Deadline>) -> Deadline {
    let app = crate::http::service(state);
    let (open, last) = (TaskTracker::new(), CancellationToken::new());
    let mut stop = std::pin::pin!(stop);
    let deadline = loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, most likely. Accepting again at once would only spin.
                    tracing::error!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            deadline = &mut stop => break deadline,
        };
        // An address at its cap is closed without a word: an answer would cost what the cap protects.
        // A trusted proxy is no address in this sense: it stands for everybody behind it.
        let ticket = if state.proxies.trust(peer.ip()) {
            None
        } else if let Some(ticket) = state.gate.admit(peer.ip()) {
            Some(ticket)
        } else {
            tracing::debug!(%peer, "too many connections from this address");
            continue;
        };
        if let Err(error) = set_options(&stream) {
            tracing::debug!(%peer, %error, "connection gone before it was set up");
            continue;
        }
        let (app, from) = (app.clone(), state.clone());
        let socket = Arc::new(AtomicBool::new(false));
        let stream = Stream::new(stream, state, ticket, Arc::clone(&socket));
        let service = hyper::service::service_fn(move |mut request: http::Request<Incoming>| {
            if request.headers().contains_key(http::header::UPGRADE) {
                socket.store(true, Ordering::Relaxed);
            }
            let client = from.proxies.client(peer.ip(), request.headers());
            request.extensions_mut().insert(client);
            let app = app.clone();
            async move { Ok::<_, Infallible>(answer(app, request).await) }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .max_buf_size(64 * 1024)
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
    state.drain(deadline).await;
    last.cancel();
    open.close();
    if deadline.leaving(AFTER_REQUESTS, open.wait()).await.is_none() {
        tracing::info!("some requests did not end in time");
    }
    deadline
}

async fn answer(app: crate::http::App, request: http::Request<Incoming>) -> http::Response<Body> {
    match app.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

fn set_options(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = socket2::SockRef::from(stream);
    socket.set_send_buffer_size(SEND_BUFFER)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED_TIMEOUT))?;
    #[cfg(not(target_os = "linux"))]
    let _ = UNACKNOWLEDGED_TIMEOUT;
    Ok(())
}
