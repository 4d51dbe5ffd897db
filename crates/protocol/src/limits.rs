//! How much is allowed, in one place, because the browser refuses what the server would refuse.

use serde::{Deserialize, Serialize};

/// Characters (Unicode scalar values) of a display name, after trimming.
pub const NAME_CHARS: usize = 32;
/// Characters of a room's title, after trimming.
pub const TITLE_CHARS: usize = 60;
/// Bytes of a room slug.
pub const SLUG_BYTES: usize = 64;
/// Characters of one message.
pub const MESSAGE_CHARS: usize = 8_000;
/// Messages in one `send`.
pub const BATCH_MESSAGES: usize = 100;
/// Bytes of one command's JSON. Longer ones are answered with `too_large`.
pub const COMMAND_BYTES: usize = 64 * 1024;
/// Events in one page of history, and in what `join` brings along.
pub const HISTORY_EVENTS: u32 = 50;
/// Events that `join` and `history {after}` return at most; who missed more reloads the room.
pub const CATCH_UP_EVENTS: u32 = 500;
/// Bytes of events in a page of history, unless a single event is longer: two of the longest that there are.
pub const HISTORY_BYTES: usize = 64 * 1024;
/// Bytes of events that catching up brings at once, unless a single event is longer: as many as
/// [`CATCH_UP_EVENTS`] short messages have. On a line of 4 KB/s they arrive before the client misses its ping.
pub const CATCH_UP_BYTES: usize = 144 * 1024;
/// People named in a roster; the count is always of everybody.
pub const ROSTER_PEOPLE: u32 = 200;
/// Bytes of an id that a client chooses.
pub const OPAQUE_BYTES: usize = 64;

/// What one server takes. `welcome` and the page carry it, so a client can refuse what the server would refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Characters of one message.
    pub message_chars: u32,
    /// Bytes of one command: the whole event, `["send",{…}]`.
    pub command_bytes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_chars: MESSAGE_CHARS as u32,
            command_bytes: COMMAND_BYTES as u32,
        }
    }
}
