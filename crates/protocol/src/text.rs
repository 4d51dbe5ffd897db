//! Text that people write: names, titles, messages. Valid by construction.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::limits;
use crate::unicode::{is_invisible, tidy, turns_direction};

/// Why a text is refused. The sentence is fit to be shown to the person who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// Nothing there, or nothing that can be seen.
    #[error("a {what} needs at least one visible character")]
    Empty {
        /// What the text was to be.
        what: &'static str,
    },
    /// Longer than allowed.
    #[error("a {what} has at most {max} characters; this one has {chars}")]
    TooLong {
        /// What the text was to be.
        what: &'static str,
        /// Characters allowed.
        max: usize,
        /// Characters given.
        chars: usize,
    },
    /// A character that no text should hold.
    #[error("a {what} cannot hold the control character U+{code:04X}, its character {at}")]
    Control {
        /// What the text was to be.
        what: &'static str,
        /// The character.
        code: u32,
        /// Which one of the text it is; the first is 1.
        at: usize,
    },
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

/// Whether a message cannot hold this character.
pub fn unfit_for_message(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\t'
}

fn one_line(what: &'static str, text: &str, max: usize) -> Result<String, InvalidText> {
    refuse(what, text.trim(), |c| c.is_control() || turns_direction(c))?;
    let text = tidy(text);
    measure(what, &text, max)?;
    Ok(text)
}

/// What [`kept`] reads.
pub(crate) trait Kept {
    /// A text that was valid by the rules of its day.
    fn kept(text: String) -> Self;
}

/// For members that only servers write: whatever they hold is read.
pub(crate) fn kept<'de, D: Deserializer<'de>, T: Kept>(deserializer: D) -> Result<T, D::Error> {
    String::deserialize(deserializer).map(T::kept)
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $parse:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// A text that was valid by the rules of its day: storage and servers hold what today's rules might
            /// refuse, and it must stay readable.
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
    /// What a person is called: 1 to 32 characters on one line, tidied: see [`tidy`].
    DisplayName, |text| one_line("name", text, limits::NAME_CHARS)
}
text! {
    /// What a room is called: 1 to 60 characters on one line, tidied like a name.
    RoomTitle, |text| one_line("room name", text, limits::TITLE_CHARS)
}
text! {
    /// One message: 1 to 8,000 characters; newline and tab are the only control characters. Kept as it was typed,
    /// except that the line ends of HTML forms (CR LF) become newlines.
    MessageText, |text| {
        let text = text.replace("\r\n", "\n");
        measure("message", &text, limits::MESSAGE_CHARS)?;
        refuse("message", &text, unfit_for_message)?;
        Ok(text)
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
    fn what_was_valid_once_stays_readable() {
        assert_eq!(DisplayName::kept("A\u{200b}da".to_owned()).as_str(), "Ada");
        assert_eq!(DisplayName::kept("\u{e0041}".to_owned()).as_str(), "\u{e0041}");
        assert_eq!(MessageText::kept("\u{2063}".to_owned()).as_str(), "\u{2063}");
    }

    #[test]
    fn a_sentence_says_what_is_wrong() {
        let refused = serde_json::from_value::<MessageText>("x".repeat(100_000).into()).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "a message has at most 8000 characters; this one has 100000"
        );
    }
}
