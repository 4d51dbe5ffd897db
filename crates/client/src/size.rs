//! The most that a message may contain on this server, and how many messages fit into one command.

use protocol::{ClientId, Limits, limits};

/// Shown for a message without a visible character.
pub const EMPTY: &str = "A message needs at least one visible character.";

/// Shown for a message with a control character.
pub const CONTROL: &str = "This message contains an invisible control character. Remove it and try again.";

/// Bytes of `["send",{"room":"…","messages":[…]}]` without the messages, with the longest slug.
const AROUND_BATCH: usize = 36 + limits::SLUG_BYTES;
/// Bytes of `{"client_id":"…","text":"…"},` without id and text.
const AROUND_MESSAGE: usize = 27;
/// Bytes of `"reply_to":…,"epoch":"…",` with the largest number.
const REPLY_TO: usize = 65;
/// Bytes of a client id that this client generates.
const ID_BYTES: usize = 26;

/// A text that is too long for this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooBig {
    /// The limit in characters. If the limit on bytes applies, the characters of this text that fit.
    pub max: usize,
    /// The characters of the text.
    pub chars: usize,
}

impl TooBig {
    /// The refusal as a sentence for people.
    pub fn sentence(self) -> String {
        let Self { max, chars } = self;
        format!("This message has {chars} characters; the limit is {max}. Shorten it or send it in parts.")
    }
}

/// Checks a text against the server's limits.
///
/// # Errors
/// If it has too many characters, or too many bytes for a command.
pub fn refuse(limits: Limits, text: &str) -> Result<(), TooBig> {
    let chars = text.chars().count();
    let max = limits.message_chars as usize;
    if chars > max {
        return Err(TooBig { max, chars });
    }
    let mut left =
        (limits.command_bytes as usize).saturating_sub(AROUND_BATCH + AROUND_MESSAGE + REPLY_TO + ID_BYTES);
    for (max, c) in text.chars().enumerate() {
        match left.checked_sub(json_bytes(c)) {
            Some(rest) => left = rest,
            None => return Err(TooBig { max, chars }),
        }
    }
    Ok(())
}

/// The bytes left in a command.
pub struct BatchSize(usize);

impl BatchSize {
    /// An empty command.
    pub fn new(limits: Limits) -> Self {
        Self((limits.command_bytes as usize).saturating_sub(AROUND_BATCH))
    }

    /// Adds a message. Returns false if it does not fit.
    pub fn add(&mut self, client_id: &ClientId, text: &str) -> bool {
        let around = AROUND_MESSAGE + REPLY_TO + client_id.as_str().len();
        let bytes = around + text.chars().map(json_bytes).sum::<usize>();
        let fits = bytes <= self.0;
        self.0 = self.0.saturating_sub(bytes);
        fits
    }
}

/// Bytes of a character in JSON. Newline and tab are the only control characters in messages.
fn json_bytes(c: char) -> usize {
    c.len_utf8() + usize::from(matches!(c, '"' | '\\' | '\n' | '\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_the_server_would_refuse_is_refused_here() {
        let limits = |message_chars, command_bytes| Limits {
            message_chars,
            command_bytes,
        };
        assert_eq!(refuse(Limits::default(), &"\u{1f980}".repeat(8_000)), Ok(()));
        let long = refuse(limits(100, 65_536), &"ä".repeat(101)).unwrap_err();
        assert_eq!(long, TooBig { max: 100, chars: 101 });
        assert!(long.sentence().contains("100") && long.sentence().contains("101"));
        let small = limits(8_000, 1_024);
        let TooBig { max, chars } = refuse(small, &"ä".repeat(500)).unwrap_err();
        assert_eq!((max, chars), (403, 500));
        assert_eq!(refuse(small, &"ä".repeat(max)), Ok(()));
        assert_eq!(
            refuse(small, &"\"".repeat(max)),
            Ok(()),
            "an escaped character has two bytes too"
        );
    }
}
