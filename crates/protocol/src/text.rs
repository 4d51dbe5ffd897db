//! Text that people write: names, titles, messages. Valid by construction.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits;

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
    #[error("a {what} cannot hold the control character U+{code:04X}")]
    Control {
        /// What the text was to be.
        what: &'static str,
        /// The character.
        code: u32,
    },
}

/// Invisible characters: a text of only these looks empty.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{2800}')
}

/// Characters that turn the direction of what follows: in a name they would garble the text beside it.
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn check(
    what: &'static str,
    text: &str,
    max: usize,
    refused: impl Fn(char) -> bool,
) -> Result<(), InvalidText> {
    let chars = text.chars().count();
    if chars > max {
        return Err(InvalidText::TooLong { what, max, chars });
    }
    if let Some(c) = text.chars().find(|&c| refused(c)) {
        return Err(InvalidText::Control {
            what,
            code: u32::from(c),
        });
    }
    if text.chars().all(is_invisible) {
        return Err(InvalidText::Empty { what });
    }
    Ok(())
}

fn one_line(what: &'static str, text: &str, max: usize) -> Result<String, InvalidText> {
    let text = text.trim();
    check(what, text, max, |c| c.is_control() || turns_direction(c))?;
    Ok(text.to_owned())
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
    /// What a person is called: 1 to 32 characters after trimming, one line.
    DisplayName, |text| one_line("name", text, limits::NAME_CHARS)
}
text! {
    /// What a room is called: 1 to 60 characters after trimming, one line.
    RoomTitle, |text| one_line("room name", text, limits::TITLE_CHARS)
}
text! {
    /// One message: 1 to 8,000 characters; newline and tab are the only control characters. Kept as it was typed,
    /// except that the line ends of HTML forms (CR LF) become newlines.
    MessageText, |text| {
        let text = text.replace("\r\n", "\n");
        check("message", &text, limits::MESSAGE_CHARS, |c| c.is_control() && c != '\n' && c != '\t')?;
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
        for invisible in ["", "   ", "\u{200b}", "\u{3164}"] {
            assert_eq!(
                name(invisible),
                Err(InvalidText::Empty { what: "name" }),
                "{invisible:?}"
            );
        }
        for (control, code) in [("a\nb", 10), ("a\0", 0), ("a\u{202e}b", 0x202e)] {
            assert_eq!(name(control), Err(InvalidText::Control { what: "name", code }));
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
                code: 7
            })
        );
        assert!(message(&"x".repeat(8_000)).is_ok());
        assert!(matches!(
            message(&"x".repeat(8_001)),
            Err(InvalidText::TooLong { chars: 8_001, .. })
        ));
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
