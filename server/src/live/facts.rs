//! What the fast path assumes about the Socket.IO library and the WebSocket under it.
//!
//! Two parties write to one connection: the library, and we, bypassing it. This works as long as the following holds.
//! `socket/tests/two_writers.rs` drives the real library and the fan-out into one slow socket, and fails when it no
//! longer does. Run it first when the library's version changes.
//!
//! 1. **Whole frames.** Each write of the library begins and ends at the boundary of a frame. Only the kernel splits
//!    one, and the library then writes the rest before anything else. So a frame that is written between two of its
//!    writes never lands inside one of its frames ([`Wire`](super::Wire), `engine/link/writing.rs`).
//! 2. **Plain frames.** Nothing is compressed, because we answer the upgrade and agree to no extension. A server's
//!    frames have no mask ([`TEXT`]).
//! 3. **One text format.** Packets are Engine.IO messages in text frames: a type, a namespace, an acknowledgement id,
//!    JSON ([`EVENT`], [`ACK`], [`UNNAMED`]). No packet of ours has attachments, so each fits in one frame.
//! 4. **Acknowledgement ids are the client's.** The library answers no command by itself, and we ask clients for no
//!    acknowledgements, so an answer that bypasses the library is the only one with its id (`socket/ack.rs`).
//! 5. **Ids of sockets are reused.** The id of a socket is the id of its session. A namespace that is left and
//!    connected again has the same id, so nothing of ours is looked up by it (`audience.rs`, `socket/connection.rs`).
//! 6. **The beginning.** The library's first frame is its greeting ([`GREETING`]), and its first ping ([`PING`])
//!    leaves at once. Clients get a greeting of ours, and their first ping after the interval
//!    (`engine/link/writing.rs`).
//! 7. **A CONNECT is answered** with the socket's id, or with [`REFUSED`] and the middleware's message. But the
//!    library drops it while it is cleaning up the previous connection to the namespace (`engine/connects.rs`).
//! 8. **No order between the two.** The library's task may write a CONNECT or an event after we write something that
//!    was caused later. Clients keep events that overtake a CONNECT until they are connected.

/// The first byte of a complete, uncompressed text frame.
pub const TEXT: u8 = 0x81;
/// The prefix of an event packet.
pub const EVENT: &str = "42";
/// The prefix of an acknowledgement packet.
pub const ACK: &str = "43";
/// The default namespace. Every other one is named in each packet, with a comma after it.
pub const UNNAMED: &str = "/";
/// The first byte of the packet that opens a session.
pub const GREETING: u8 = b'0';
/// The first byte of a ping packet.
pub const PING: u8 = b'2';
/// The prefix of a packet that refuses a CONNECT.
pub const REFUSED: &[u8] = b"44";
