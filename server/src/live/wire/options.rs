//! Socket options of the connections that frames are written to.

use std::io;
use std::time::Duration;

use socket2::SockRef;
use tokio::net::TcpStream;

use crate::live::budget::PER_CONNECTION;
use crate::live::pace::LEAST;

/// How long the peer's kernel may take to acknowledge sent data before the connection counts as dead. With a peer
/// that reads slowly into a small buffer, Linux counts the time for as long as anything waits, even while the peer
/// acknowledges. So this is the time it takes to read the most that may wait at the least pace. Dead peers are
/// detected by their pace and their missing pongs.
const UNACKNOWLEDGED_TIMEOUT: Duration = Duration::from_secs((PER_CONNECTION as u64).div_ceil(LEAST));
/// The same limit after we have closed the connection.
const LINGER: Duration = Duration::from_secs(25);
/// Bytes that the kernel may hold for a slow reader. Linux doubles it.
const SEND_BUFFER: usize = 64 * 1024;

/// Sets the options of an accepted connection.
///
/// # Errors
/// If the connection is already gone.
pub fn set_options(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_send_buffer_size(SEND_BUFFER)?;
    set_unacknowledged_timeout(&socket, UNACKNOWLEDGED_TIMEOUT)
}

/// Limits how long the kernel keeps sending after the connection is closed.
pub(super) fn linger(socket: &SockRef<'_>) -> io::Result<()> {
    set_unacknowledged_timeout(socket, LINGER)
}

#[cfg_attr(
    not(target_os = "linux"),
    allow(unused_variables, reason = "only Linux has this option")
)]
fn set_unacknowledged_timeout(socket: &SockRef<'_>, timeout: Duration) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(timeout))?;
    Ok(())
}
