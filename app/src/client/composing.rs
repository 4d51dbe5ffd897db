//! Rules of the composer: which keys send, and how characters that cannot be sent are removed.

use protocol::text::unfit_for_message as unfit;

/// A key press.
#[derive(Clone, Copy, Debug, Default)]
pub struct Key {
    /// The key is Enter.
    pub enter: bool,
    /// The key is a modifier (Shift, Control, Alt, Meta) by itself.
    pub modifier: bool,
    /// Shift is held.
    pub shift: bool,
    /// Control or Command is held.
    pub command: bool,
    /// The key is part of an input method's composition.
    pub composing: bool,
    /// The event has a physical key code. Keys of an on-screen keyboard have none.
    pub physical: bool,
}

/// Which keyboard is in use. Enter on an on-screen keyboard is a new line, because Shift+Enter is hard to type there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keys {
    on_screen: bool,
}

impl Keys {
    /// True if this key sends the message. `touch`: the device has a touch screen, so the keyboard may be on screen.
    pub fn sends(&mut self, key: Key, touch: bool) -> bool {
        let on_screen = std::mem::replace(&mut self.on_screen, !key.physical || key.composing);
        if key.modifier {
            self.on_screen = on_screen;
        }
        let plain = !key.shift && !(touch && (on_screen || !key.physical));
        key.enter && !key.composing && (key.command || plain)
    }
}

/// A text without its control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cleaned {
    /// The cleaned text.
    pub text: String,
    /// The new cursor position, in UTF-16 units.
    pub cursor: u32,
    /// A sentence for the author that says what was removed.
    pub note: String,
}

/// Removes control characters, which are invisible and come with pasted text. Those that end a line or a page become
/// line breaks. Returns `None` if there are none.
pub fn clean(text: &str, cursor: u32) -> Option<Cleaned> {
    let (index, first) = text.chars().enumerate().find(|(_, c)| unfit(*c))?;
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
    let number = index + 1;
    cleaned.note = format!(
        "Removed {found} invisible control character{these} U+{:04X} at character {number}.",
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
            assert!(sends(ENTER, touch), "a physical key, even with a touch screen");
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
            "a key without a physical code, but no touch screen"
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
    fn the_last_key_decides_which_keyboard_is_in_use() {
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
            "some on-screen keyboards report a physical Enter"
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
        assert!(!keys.sends(ENTER, true), "a modifier decides nothing");
        keys.sends(LETTER, true);
        assert!(keys.sends(ENTER, true));
    }

    #[test]
    fn control_characters_are_removed_and_reported() {
        assert_eq!(clean("two\n\tlines \u{1f980}", 3), None);
        let cleaned = clean("\u{1f980}a\u{7}b", 4).unwrap();
        assert_eq!((cleaned.text.as_str(), cleaned.cursor), ("\u{1f980}ab", 3));
        assert!(cleaned.note.contains("U+0007 at character 3"), "{}", cleaned.note);
        let cleaned = clean("a\u{b}b\u{0}c\u{1b}[0m", 99).unwrap();
        assert_eq!(cleaned.text, "a\nbc[0m");
        assert!(cleaned.note.contains("3 ") && cleaned.note.contains("the first U+000B at character 2"));
    }
}
