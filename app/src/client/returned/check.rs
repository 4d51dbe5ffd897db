//! Checks messages that are sent by form. With scripts the composer applies the same rules.

use client::size::{EMPTY, TooBig};
use protocol::text::InvalidText;
use protocol::{Limits, MessageText};

use super::Returned;
use crate::client::composing::clean;

/// Checks a message. A refused text comes back without control characters, because its author could not find them.
///
/// # Errors
/// The text, and why it cannot be sent.
pub fn check(text: &str, limits: Limits) -> Result<MessageText, Returned> {
    let text = text.replace("\r\n", "\n");
    if let Some(cleaned) = clean(&text, 0) {
        return Err(Returned {
            text: cleaned.text,
            why: format!("{} Your message has not been sent yet.", cleaned.note),
            ..Returned::default()
        });
    }
    let (max, chars) = (limits.message_chars as usize, text.chars().count());
    let why = if chars > max {
        TooBig { max, chars }.sentence()
    } else {
        match MessageText::try_from(text.clone()) {
            Ok(message) => return Ok(message),
            Err(InvalidText::Empty { .. }) => EMPTY.to_owned(),
            Err(invalid) => invalid.to_string(),
        }
    };
    Err(Returned {
        text,
        why,
        ..Returned::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_message_comes_back_with_the_reason() {
        let limits = Limits {
            message_chars: 10,
            ..Limits::default()
        };
        let check = |text: &str| check(text, limits);
        assert_eq!(check("a\r\nb").unwrap().as_str(), "a\nb");
        for (text, back, why) in [
            ("x\ty &<b>\r\nz", "", ""),
            ("12345678901", "12345678901", "has 11 characters; the limit is 10"),
            (" \r\n", " \n", "at least one visible character"),
            ("a\u{7}b\u{0}c", "abc", "2 invisible control characters"),
            ("a\u{7}b", "ab", "U+0007 at character 2"),
        ] {
            match check(text) {
                Ok(message) => assert_eq!(message.as_str(), text.replace("\r\n", "\n")),
                Err(returned) => {
                    assert_eq!(returned.text, back);
                    assert!(returned.why.contains(why) && !why.is_empty(), "{}", returned.why);
                }
            }
        }
    }

    #[test]
    fn markup_in_a_returned_message_is_text() {
        let returned = |text: &str| Returned {
            text: text.to_owned(),
            ..Returned::default()
        };
        let html = returned("\n</textarea><script>&lt;").html();
        assert_eq!(html, "\n\n&lt;/textarea>&lt;script>&amp;lt;");
        assert_eq!(returned("").html(), "");
    }
}
