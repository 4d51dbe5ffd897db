//! A TCP proxy that can fail like a network: go silent, or break.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// What to do with bytes that arrive.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Pass,
    /// Keep them waiting, and the sender with them.
    Hold,
    /// End all connections, and new ones at once.
    Cut,
}

/// A proxy in front of one server. Stops when dropped.
pub struct Proxy {
    address: SocketAddr,
    server: Arc<watch::Sender<String>>,
    mode: Arc<watch::Sender<Mode>>,
    accepting: AbortHandle,
}

impl Proxy {
    /// Starts a proxy in front of a server at this address; it passes everything on.
    ///
    /// # Panics
    /// If no port is free.
    pub async fn before(server: &str) -> Self {
        let server = Arc::new(watch::Sender::new(server.to_owned()));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let mode = Arc::new(watch::Sender::new(Mode::Pass));
        let modes = Arc::clone(&mode);
        let target = Arc::clone(&server);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let modes = modes.subscribe();
                let server = target.borrow().clone();
                tokio::spawn(async move {
                    if let Ok(server) = TcpStream::connect(server).await {
                        join(client, server, modes).await;
                    }
                });
            }
        });
        Self {
            address,
            server,
            mode,
            accepting: accepting.abort_handle(),
        }
    }

    /// Directs new connections to another server. Open ones stay where they are.
    pub fn redirect_to(&self, server: &str) {
        self.server.send_replace(server.to_owned());
    }

    /// The address to connect to.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Lets nothing through, without telling either side.
    pub fn hold(&self) {
        self.mode.send_replace(Mode::Hold);
    }

    /// Ends all connections, new ones included.
    pub fn cut(&self) {
        self.mode.send_replace(Mode::Cut);
    }

    /// Lets everything through, starting with what was held.
    pub fn pass(&self) {
        self.mode.send_replace(Mode::Pass);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

async fn join(client: TcpStream, server: TcpStream, mut modes: watch::Receiver<Mode>) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (there, back) = (modes.clone(), modes.clone());
    tokio::select! {
        () = carry(from_client, to_server, there) => {}
        () = carry(from_server, to_client, back) => {}
        // An error means that the proxy was dropped.
        _ = modes.wait_for(|mode| *mode == Mode::Cut) => {}
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut modes: watch::Receiver<Mode>) {
    let mut chunk = vec![0; 16 * 1024];
    loop {
        let Ok(count @ 1..) = from.read(&mut chunk).await else {
            return;
        };
        if modes.wait_for(|mode| *mode == Mode::Pass).await.is_err() {
            return;
        }
        if to.write_all(&chunk[..count]).await.is_err() {
            return;
        }
    }
}
