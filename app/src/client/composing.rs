//! Rules of the composer: which keys send, and what becomes of characters that cannot be sent.

use protocol::text::unfit_for_message as unfit;

/// A key that was pressed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Key {
    /// It is Enter.
    pub enter: bool,
    /// It is Shift, Control and the like, by itself.
    pub modifier: bool,
    /// Shift is held.
    pub shift: bool,
    /// Control or Command is held.
    pub command: bool,
    /// It belongs to an input method that composes.
    pub composing: bool,
    /// It has a place on a keyboard. Keys on a screen have none.
    pub physical: bool,
}

/// Which keyboard is in use. On touch the Enter key of the screen is a new line, for want of Shift.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keys {
    on_screen: bool,
}

impl Keys {
    /// Whether this key sends the message. `touch`: the screen is touched, so there may be keys on it.
    pub fn sends(&mut self, key: Key, touch: bool) -> bool {
        let on_screen = std::mem::replace(&mut self.on_screen, !key.physical || key.composing);
        if key.modifier {
            self.on_screen = on_screen;
        }
        let plain = !key.shift && !(touch && (on_screen || !key.physical));
        key.enter && !key.composing && (key.command || plain)
    }
}

/// A text without what cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cleaned {
    /// The text.
    pub text: String,
    /// Where the cursor is now, in UTF-16 units.
    pub cursor: u32,
    /// What was done, for the person who wrote it.
    pub note: String,
}

/// Takes control characters out of a text, which come with pasted text and cannot be seen; those that end a line or a
/// page become line ends. Nothing, if there are none.
pub fn clean(text: &str, cursor: u32) -> Option<Cleaned> {
    let (place, first) = text.chars().enumerate().find(|(_, c)| unfit(*c))?;
    let mut cleaned = Cleaned {
        text: String::with_capacity(text.len()),
        cursor,
        note: String::new(),
    };
    let (mut at, mut found) = (0, 0);
    for c in text.chars() {
        if !unfit(c) {
            cleaned.text.push(c);
        } else {
            found += 1;
            if matches!(c, '\r' | '\u{b}' | '\u{c}' | '\u{85}') {
                cleaned.text.push('\n');
            } else if at < cursor {
                cleaned.cursor -= 1;
            }
        }
        at += c.len_utf16() as u32;
    }
    let these = if found == 1 { ":" } else { "s, the first" };
    let place = place + 1;
    cleaned.note = format!(
        "Removed {found} invisible control character{these} U+{:04X} at character {place}.",
        u32::from(first)
    );
    Some(cleaned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTER: Key = Key {
        enter: true,
        modifier: false,
        shift: false,
        command: false,
        composing: false,
        physical: true,
    };
    const LETTER: Key = Key {
        enter: false,
        ..ENTER
    };
    const ON_SCREEN: Key = Key {
        physical: false,
        ..ENTER
    };

    #[test]
    fn enter_sends_unless_it_is_a_new_line_or_ends_a_composition() {
        let sends = |key, touch| Keys::default().sends(key, touch);
        for touch in [false, true] {
            assert!(sends(ENTER, touch), "a real key, also beside a touch screen");
            assert!(!sends(Key { shift: true, ..ENTER }, touch));
            assert!(!sends(LETTER, touch));
            assert!(sends(
                Key {
                    command: true,
                    ..ENTER
                },
                touch
            ));
            assert!(!sends(
                Key {
                    composing: true,
                    command: true,
                    ..ENTER
                },
                touch
            ));
        }
        assert!(
            sends(ON_SCREEN, false),
            "what has no place on a keyboard, without a touch screen"
        );
        assert!(!sends(ON_SCREEN, true));
        assert!(sends(
            Key {
                command: true,
                ..ON_SCREEN
            },
            true
        ));
    }

    #[test]
    fn the_keyboard_is_the_one_that_was_used_last() {
        let mut keys = Keys::default();
        keys.sends(
            Key {
                enter: false,
                ..ON_SCREEN
            },
            true,
        );
        assert!(
            !keys.sends(ENTER, true),
            "some screens give their Enter key a place"
        );
        let mut keys = Keys::default();
        keys.sends(
            Key {
                enter: false,
                ..ON_SCREEN
            },
            true,
        );
        keys.sends(
            Key {
                modifier: true,
                ..LETTER
            },
            true,
        );
        assert!(!keys.sends(ENTER, true), "a modifier says nothing");
        keys.sends(LETTER, true);
        assert!(keys.sends(ENTER, true));
    }

    #[test]
    fn control_characters_are_taken_out_and_said() {
        assert_eq!(clean("two\n\tlines \u{1f980}", 3), None);
        let cleaned = clean("\u{1f980}a\u{7}b", 4).unwrap();
        assert_eq!((cleaned.text.as_str(), cleaned.cursor), ("\u{1f980}ab", 3));
        assert!(cleaned.note.contains("U+0007 at character 3"), "{}", cleaned.note);
        let cleaned = clean("a\u{b}b\u{0}c\u{1b}[0m", 99).unwrap();
        assert_eq!(cleaned.text, "a\nbc[0m");
        assert!(cleaned.note.contains("3 ") && cleaned.note.contains("the first U+000B at character 2"));
    }
}
