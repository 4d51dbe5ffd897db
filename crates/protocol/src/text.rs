//! Texts that people write: names, titles, messages. Valid by construction.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::limits;
use crate::unicode::{is_emoji, is_invisible, tidy, turns_direction};

/// Why a text is refused. The sentence can be shown to the person who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// No visible character.
    #[error("a {what} needs at least one visible character")]
    Empty {
        /// The kind of text: "message", "name" …
        what: &'static str,
    },
    /// Longer than allowed.
    #[error("this {what} has {chars} characters; the limit is {max}")]
    TooLong {
        /// The kind of text.
        what: &'static str,
        /// The most characters allowed.
        max: usize,
        /// The number of characters in the text.
        chars: usize,
    },
    /// A character that this kind of text cannot contain.
    #[error("a {what} cannot contain control characters; remove U+{code:04X} (character {at})")]
    Control {
        /// The kind of text.
        what: &'static str,
        /// The character's code point.
        code: u32,
        /// Its position in the text; the first character is 1.
        at: usize,
    },
    /// Not an emoji.
    #[error("a reaction is one emoji")]
    NotEmoji,
}

fn measure(what: &'static str, text: &str, max: usize) -> Result<(), InvalidText> {
    let chars = text.chars().count();
    if chars > max {
        return Err(InvalidText::TooLong { what, max, chars });
    }
    if text.chars().all(is_invisible) {
        return Err(InvalidText::Empty { what });
    }
    Ok(())
}

fn refuse(what: &'static str, text: &str, refused: impl Fn(char) -> bool) -> Result<(), InvalidText> {
    match (1..).zip(text.chars()).find(|&(_, c)| refused(c)) {
        Some((at, c)) => {
            let code = u32::from(c);
            Err(InvalidText::Control { what, code, at })
        }
        None => Ok(()),
    }
}

/// True if a message cannot contain this character.
pub fn unfit_for_message(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\t'
}

/// Drops blank lines at both ends; the first line keeps its indentation. Every kind of line end (CR LF, vertical tab,
/// form feed, next line, line and paragraph separator) becomes a newline.
fn lines(text: &str) -> String {
    let mut lines = String::with_capacity(text.len());
    // Whether this line has a visible character, and where the last line that had one ends; 0 if there was none.
    let (mut seen, mut end) = (false, 0);
    for c in text.chars() {
        if !matches!(c, '\n' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}') {
            seen |= !is_invisible(c);
            lines.push(c);
            continue;
        }
        if c == '\n' && lines.ends_with('\r') {
            lines.pop();
        }
        if seen {
            (seen, end) = (false, lines.len());
        }
        if end == 0 {
            lines.clear();
        } else {
            lines.push('\n');
        }
    }
    if !seen && end > 0 {
        lines.truncate(end);
    }
    lines
}

fn one_line(what: &'static str, text: &str, max: usize) -> Result<String, InvalidText> {
    refuse(what, text.trim(), |c| c.is_control() || turns_direction(c))?;
    let text = tidy(text);
    measure(what, &text, max)?;
    Ok(text)
}

/// A text that [`kept`] can read.
pub(crate) trait Kept {
    /// Takes a text that was valid when it was stored.
    fn kept(text: String) -> Self;
}

/// Reads a field that only servers write, without refusing anything.
pub(crate) fn kept<'de, D: Deserializer<'de>, T: Kept>(deserializer: D) -> Result<T, D::Error> {
    String::deserialize(deserializer).map(T::kept)
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $parse:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = String, min_length = 1))]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text as a string.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Takes a text that was valid when it was stored. Today's rules might refuse it, but it must stay
            /// readable.
            pub fn kept(text: String) -> Self {
                let parse: fn(&str) -> Result<String, InvalidText> = $parse;
                Self(parse(&text).unwrap_or(text))
            }
        }

        impl Kept for $name {
            fn kept(text: String) -> Self {
                Self::kept(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidText;

            fn try_from(text: String) -> Result<Self, InvalidText> {
                let parse: fn(&str) -> Result<String, InvalidText> = $parse;
                parse(&text).map(Self)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text! {
    /// A person's name: 1 to 32 characters on one line, without invisible characters and repeated spaces.
    DisplayName, |text| one_line("name", text, limits::NAME_CHARS)
}
text! {
    /// A room's title: 1 to 60 characters on one line, tidied like a name.
    RoomTitle, |text| one_line("room name", text, limits::TITLE_CHARS)
}
text! {
    /// A message: 1 to 8,000 characters; no control characters except newline and tab. Stored as typed, except that
    /// every kind of line end becomes a newline, and blank lines at both ends are dropped.
    MessageText, |text| {
        let text = lines(text);
        measure("message", &text, limits::MESSAGE_CHARS)?;
        refuse("message", &text, unfit_for_message)?;
        Ok(text)
    }
}

text! {
    /// One emoji, of at most 40 bytes.
    Emoji, |text| {
        if text.len() <= limits::EMOJI_BYTES && is_emoji(text) {
            Ok(text.to_owned())
        } else {
            Err(InvalidText::NotEmoji)
        }
    }
}

impl Emoji {
    /// Takes an emoji that was valid when it was stored, as it is.
    pub fn stored(text: String) -> Self {
        Self(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Result<String, InvalidText> {
        DisplayName::try_from(text.to_owned()).map(String::from)
    }

    fn message(text: &str) -> Result<String, InvalidText> {
        MessageText::try_from(text.to_owned()).map(String::from)
    }

    #[test]
    fn names_are_trimmed_and_counted_in_characters() {
        assert_eq!(name("  Ada  "), Ok("Ada".to_owned()));
        assert_eq!(name(&"ä".repeat(32)), Ok("ä".repeat(32)));
        assert_eq!(
            name(&"ä".repeat(33)),
            Err(InvalidText::TooLong {
                what: "name",
                max: 32,
                chars: 33
            })
        );
        for invisible in [
            "",
            "   ",
            "\u{200b}",
            "\u{3164}",
            "\u{e0041}",
            "\u{34f}",
            "\u{2800}",
            "\u{301}",
            "\u{fe0f}",
        ] {
            assert_eq!(
                name(invisible),
                Err(InvalidText::Empty { what: "name" }),
                "{invisible:?}"
            );
        }
        for (control, code) in [("a\nb", 10), ("a\0", 0), ("a\u{202e}b", 0x202e)] {
            let what = "name";
            assert_eq!(name(control), Err(InvalidText::Control { what, code, at: 2 }));
        }
    }

    #[test]
    fn blank_lines_at_the_ends_are_dropped_and_every_line_end_is_a_newline() {
        for (typed, stored) in [
            ("\n\n\nx", "x"),
            ("x\n\n", "x"),
            (" \n\u{200b}\n  x\n\n y \n\t\n", "  x\n\n y "),
            ("\r\nx\r\n", "x"),
            ("a\u{2028}b\u{2029}c\u{85}d\u{b}e\u{c}f", "a\nb\nc\nd\ne\nf"),
            ("\u{2028}x\u{2029}", "x"),
        ] {
            assert_eq!(message(typed), Ok(stored.to_owned()), "{typed:?}");
        }
        assert!(
            message(&format!("\n{}\n", "x".repeat(8_000))).is_ok(),
            "dropped lines do not count"
        );
        assert_eq!(
            message("\n\u{2028}\n"),
            Err(InvalidText::Empty { what: "message" })
        );
    }

    #[test]
    fn messages_stay_as_typed() {
        assert_eq!(message("  two\n\tlines "), Ok("  two\n\tlines ".to_owned()));
        assert_eq!(message("a\r\nb"), Ok("a\nb".to_owned()));
        assert_eq!(message(" \n "), Err(InvalidText::Empty { what: "message" }));
        assert_eq!(
            message("a\u{7}"),
            Err(InvalidText::Control {
                what: "message",
                code: 7,
                at: 2
            })
        );
        assert!(message(&"x".repeat(8_000)).is_ok());
        assert!(matches!(
            message(&"x".repeat(8_001)),
            Err(InvalidText::TooLong { chars: 8_001, .. })
        ));
    }

    #[test]
    fn messages_of_only_invisible_characters_are_empty() {
        for invisible in ["\u{200b}\n\u{ad}", "\u{e0041}\u{e007f}", "\u{2063}", "\u{115f}"] {
            assert_eq!(
                message(invisible),
                Err(InvalidText::Empty { what: "message" }),
                "{invisible:?}"
            );
        }
        for seen in ["👩\u{200d}💻", "می\u{200c}خواهم", "a\u{200b}b"] {
            assert_eq!(message(seen), Ok(seen.to_owned()), "kept as typed");
        }
    }

    #[test]
    fn an_emoji_is_one_picture_a_flag_or_a_keycap() {
        let emoji = |text: &str| Emoji::try_from(text.to_owned()).is_ok();
        for one in [
            "👍",
            "👍🏽",
            "❤️",
            "❤",
            "☕",
            "1️⃣",
            "#⃣",
            "🇩🇪",
            "👩‍💻",
            "👨‍👩‍👧‍👦",
            "👩🏽‍❤️‍💋‍👨🏽",
            "🏳️‍🌈",
            "🏴󠁧󠁢󠁷󠁬󠁳󠁿",
            "🏴",
            "🫠",
        ] {
            assert!(emoji(one), "{one}");
        }
        for other in [
            "",
            "a",
            "1",
            "👍👍",
            "👍a",
            "👍\u{200d}",
            "\u{200d}👍",
            "🇩",
            "🇩🇪🇫",
            "1\u{fe0f}",
            "\u{fe0f}",
            "👍 ",
            "👍🏽🏽",
            "🏴\u{e0067}",
            "é",
            "한",
        ] {
            assert!(!emoji(other), "{other:?}");
        }
        assert!(!emoji(&["👩"; 11].join("\u{200d}")), "too long");
    }

    #[test]
    fn stored_texts_stay_readable_when_rules_change() {
        assert_eq!(DisplayName::kept("A\u{200b}da".to_owned()).as_str(), "Ada");
        assert_eq!(DisplayName::kept("\u{e0041}".to_owned()).as_str(), "\u{e0041}");
        assert_eq!(MessageText::kept("\u{2063}".to_owned()).as_str(), "\u{2063}");
    }

    #[test]
    fn a_sentence_says_what_is_wrong() {
        let refused = serde_json::from_value::<MessageText>("x".repeat(100_000).into()).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "this message has 100000 characters; the limit is 8000"
        );
    }
}
