//! The queue of a connection, and how it is written.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::task::Waker;

use bytes::Bytes;

use tokio::net::TcpStream;

use crate::live::budget::Account;

/// What a waiting frame costs besides its bytes: its entry in the queue, and the allocator's overhead.
pub const OVERHEAD: usize = 128;

/// How bytes are given to the kernel.
pub type Put = fn(&TcpStream, &[IoSlice<'_>]) -> io::Result<usize>;

/// The frames that wait for one peer.
#[derive(Default)]
pub(super) struct Out {
    pub waiting: VecDeque<Bytes>,
    /// How many bytes of the first frame the kernel has taken.
    pub begun: usize,
    /// How many frames leave before the library's write, if the library wants to write. Zero while the kernel has
    /// taken only part of what the library wrote.
    pub before_library: Option<usize>,
    /// True while a task writes the queue.
    pub attended: bool,
    /// The number of bytes that the kernel has taken since the connection was opened.
    pub taken: u64,
    /// The reader, while it must not read because a write of the library waits.
    pub reader: Option<Waker>,
    pub ended: bool,
    /// The client has asked for a WebSocket.
    pub socket: bool,
}

impl Out {
    /// Writes the frames that may leave, until the kernel takes no more.
    pub fn flush(&mut self, tcp: &TcpStream, account: &Account, put: Put) {
        while self.before_library != Some(0)
            && let Some(frame) = self.waiting.front()
        {
            match put(tcp, &[IoSlice::new(&frame[self.begun..])]) {
                Ok(written) => {
                    self.taken += written as u64;
                    self.begun += written;
                    if self.begun == frame.len() {
                        account.credit(frame.len() + OVERHEAD);
                        self.waiting.pop_front();
                        self.begun = 0;
                        self.before_library = self.before_library.map(|ahead| ahead - 1);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // The reader sees the error.
                Err(_) => return self.drop_all(account),
            }
        }
        if self.waiting.is_empty() {
            // Release the memory.
            self.waiting = VecDeque::new();
        }
    }

    pub fn drop_all(&mut self, account: &Account) {
        for frame in std::mem::take(&mut self.waiting) {
            account.credit(frame.len() + OVERHEAD);
        }
        self.begun = 0;
        self.before_library = self.before_library.map(|_| 0);
    }
}
