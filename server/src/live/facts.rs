//! What the fast path takes for granted about the Socket.IO library, and about the WebSocket under it.
//!
//! Two write to one connection: the library, and we, past it. This works for as long as the following holds.
//! `socket/tests/two_writers.rs` drives the real library and the fan-out into one slow socket and fails when it no
//! longer does. Run it before anything else when the library's version changes.
//!
//! 1. **Whole frames.** Each write of the library begins where a frame begins and ends where one ends. Only the kernel
//!    divides one, and the library then writes the rest before it writes anything else. So a frame that is put between
//!    two of its writes is never put into one of its frames ([`Wire`](super::Wire), `engine/link/writing.rs`).
//! 2. **Plain frames.** Nothing is compressed, because we answer the upgrade and agree to no extension. A server's
//!    frames have no mask ([`TEXT`]).
//! 3. **One text format.** Packets are Engine.IO messages in text frames: a type, a namespace, an acknowledgement id,
//!    JSON ([`EVENT`], [`ACK`], [`UNNAMED`]). No packet of ours has attachments, so none is spread over several frames.
//! 4. **Acknowledgement ids are the client's.** The library answers no command by itself, and we ask clients for no
//!    acknowledgements, so an answer written past the library is the only one with its id (`socket/ack.rs`).
//! 5. **Ids of sockets come back.** The id of a socket is the id of its session. A namespace that is left and
//!    connected again has the same one, so nothing of ours is found by it (`audience.rs`, `socket/connection.rs`).
//! 6. **The beginning.** The library's first frame is its greeting ([`GREETING`]), and its first ping ([`PING`]) leaves
//!    at once. Clients get a greeting of ours, and a ping after the interval (`engine/link/writing.rs`).
//! 7. **A CONNECT is answered.** With the namespace's id, or with [`REFUSED`] and the middleware's words; but the
//!    library drops one while it is not done with the namespace's last life (`engine/connects.rs`).
//! 8. **No order between the two.** The library's task may write a CONNECT or an event later than we write what was
//!    caused afterwards. Clients keep what overtakes a CONNECT until they are connected.

/// The first byte of a text frame that is whole and not compressed.
pub const TEXT: u8 = 0x81;
/// A packet that is an event.
pub const EVENT: &str = "42";
/// A packet that answers a command.
pub const ACK: &str = "43";
/// The namespace that goes without saying: every other one is named in each packet, with a comma after it.
pub const UNNAMED: &str = "/";
/// The first byte of the packet that opens a session.
pub const GREETING: u8 = b'0';
/// The packet that asks whether the client lives.
pub const PING: u8 = b'2';
/// A packet that refuses a CONNECT.
pub const REFUSED: &[u8] = b"44";
