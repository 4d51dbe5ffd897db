//! Every size limit, in one place, so that the browser can refuse what the server would refuse.

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
/// Bytes of one command's JSON. The server answers longer ones with `too_large`.
pub const COMMAND_BYTES: usize = 64 * 1024;
/// Bytes of an emoji. The longest one, two people who kiss with a skin tone each, has 35.
pub const EMOJI_BYTES: usize = 40;
/// Edits of one message. Deleting it empties them all at once.
pub const EDITS: u32 = 1_000;
/// Different emoji in the reactions to one message.
pub const REACTION_EMOJI: usize = 20;
/// Reactions to one message, whatever the emoji.
pub const REACTIONS: usize = 500;
/// Messages in an answer to `history` without `after`, and in one to `join` without `from`.
pub const HISTORY_MESSAGES: u32 = 50;
/// Most events that `join {from}` and `history {after}` return. A client that missed more gets a reset.
pub const CATCH_UP_EVENTS: u32 = 500;
/// Bytes of messages in an answer to `history` without `after`, unless a single message is longer: twice the longest
/// text.
pub const HISTORY_BYTES: usize = 64 * 1024;
/// Bytes of events in one answer that catches up, without the names of their authors, unless a single event is longer:
/// [`CATCH_UP_EVENTS`] short messages.
/// At 4 KB/s they arrive before the client misses its ping.
pub const CATCH_UP_BYTES: usize = 144 * 1024;
/// People named in a page of messages. Its authors always are.
pub const PAGE_PEOPLE: usize = 200;
/// People named in a roster; its count includes everybody.
pub const ROSTER_PEOPLE: u32 = 200;
/// Bytes of an opaque id, such as a client id.
pub const OPAQUE_BYTES: usize = 64;

/// This server's limits. `welcome` and the page contain them, so a client can refuse what the server would refuse.
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
