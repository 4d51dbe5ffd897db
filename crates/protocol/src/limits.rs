//! How much is allowed, in one place, because the browser refuses what the server would refuse.

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
pub const PAGE_EVENTS: u32 = 50;
/// Events that `join` and `history {after}` return at most; who missed more reloads the room.
pub const CATCH_UP_EVENTS: u32 = 500;
/// Bytes of events in one answer or packet, unless a single event is longer: about four of the longest that there are.
pub const PAGE_BYTES: usize = 256 * 1024;
/// People named in a roster; the count is always of everybody.
pub const ROSTER_PEOPLE: u32 = 200;
/// Bytes of an id that a client chooses.
pub const OPAQUE_BYTES: usize = 64;
