//! A room's address, as its title suggests it: letters of all scripts in a-z, and a number where it is taken.

use std::borrow::Cow;

use protocol::limits::SLUG_BYTES;
use protocol::{RoomSlug, RoomTitle};

/// The address that a title suggests, if there is any sound in it.
pub fn suggested(title: &RoomTitle) -> Option<RoomSlug> {
    let title = spelled(title.as_str());
    // `[?]` stands for what has no transliteration: nothing.
    RoomSlug::from_title(&deunicode::deunicode_with_tofu(&title, "-"))
}

/// The same address with a number.
pub fn numbered(address: &RoomSlug, number: u32) -> Option<RoomSlug> {
    let suffix = format!("-{number}");
    let mut name = address.as_str().to_owned();
    name.truncate(SLUG_BYTES - suffix.len());
    RoomSlug::try_from(format!("{}{suffix}", name.trim_end_matches('-'))).ok()
}

/// An address for a title that suggests none, or whose numbers are all taken: 48 bits of its hash (FNV-1a), the same
/// for titles that are the same.
pub fn opaque(title: &RoomTitle) -> Option<RoomSlug> {
    let hash = key(title).bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    RoomSlug::try_from(format!("room-{:012x}", hash >> 16)).ok()
}

/// Whether people would take two titles for the same: they differ in case, spaces and punctuation only.
pub fn same(one: &RoomTitle, two: &RoomTitle) -> bool {
    key(one) == key(two)
}

/// What people tell titles apart by: all of it, if it is nothing but punctuation.
fn key(title: &RoomTitle) -> String {
    let letters = title.as_str().chars().filter(|c| !is_punctuation(*c));
    let letters: String = letters.flat_map(char::to_lowercase).collect();
    if letters.is_empty() {
        title.to_string()
    } else {
        letters
    }
}

fn is_punctuation(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '!' | '?' | '.' | ',' | ':' | ';' | '\'' | '"' | '-' | '_' | '(' | ')' | '/'
        )
}

/// Names of languages whose signs are most of their name.
fn spelled(title: &str) -> Cow<'_, str> {
    if !title.contains(['+', '#']) {
        return Cow::Borrowed(title);
    }
    let mut spelled = title.replace("++", "pp");
    for letter in ['C', 'c', 'F', 'f'] {
        spelled = spelled.replace(&format!("{letter}#"), &format!("{letter}-sharp"));
    }
    Cow::Owned(spelled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn title(text: &str) -> RoomTitle {
        RoomTitle::try_from(text.to_owned()).expect(text)
    }

    #[test]
    fn every_script_has_an_address() {
        for (text, address) in [
            ("Night shift", "night-shift"),
            ("C++", "cpp"),
            ("C#", "c-sharp"),
            ("C", "c"),
            ("#general", "general"),
            ("Новости 2026", "novosti-2026"),
            ("Погода 2026", "pogoda-2026"),
            ("Öl", "ol"),
            ("Äl", "al"),
            ("日本語", "ri-ben-yu"),
            ("Été", "ete"),
            ("R&D / 2026!", "r-d-2026"),
        ] {
            let found = suggested(&title(text)).map(String::from);
            assert_eq!(found.as_deref(), Some(address), "{text}");
        }
        assert_eq!(suggested(&title("!!!")), None);
        assert_eq!(suggested(&title("\u{10ffff}")), None);
        let long = suggested(&title(&"щ".repeat(60))).expect("an address");
        assert!(long.as_str().len() <= SLUG_BYTES);
    }

    #[test]
    fn a_taken_address_gets_a_number() {
        let room = |address: &str| RoomSlug::try_from(address.to_owned()).expect(address);
        assert_eq!(numbered(&room("c"), 2), Some(room("c-2")));
        let long = numbered(&room(&"x".repeat(64)), 17).expect("an address");
        assert_eq!(long.as_str().len(), SLUG_BYTES);
        assert!(long.as_str().ends_with("x-17"));
    }

    #[test]
    fn a_title_without_an_address_always_has_the_same_digits() {
        let address = |text: &str| opaque(&title(text)).expect("an address").to_string();
        assert_eq!(address("!!!"), address("!!!"));
        assert_ne!(address("!!!"), address("???"));
        assert_eq!(address("!!!").len(), "room-".len() + 12);
    }

    #[test]
    fn titles_are_the_same_that_people_take_for_the_same() {
        for (one, two, expected) in [
            ("Night shift", "night SHIFT!", true),
            ("Lobby", "lobby", true),
            ("C++", "C#", false),
            ("C++", "C", false),
            ("Öl", "Äl", false),
            ("Новости 2026", "Погода 2026", false),
            ("!!!", "???", false),
            ("!!!", "!!!", true),
        ] {
            assert_eq!(same(&title(one), &title(two)), expected, "{one} {two}");
        }
    }
}
