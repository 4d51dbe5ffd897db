//! Derives a room's address from its title: all scripts are transliterated to a-z, and a taken address gets a number.

use std::borrow::Cow;

use protocol::limits::SLUG_BYTES;
use protocol::{RoomSlug, RoomTitle};

/// The address that a title suggests. `None` if nothing in it can be transliterated.
pub fn suggested(title: &RoomTitle) -> Option<RoomSlug> {
    let title = spelled(title.as_str());
    // Characters without a transliteration become "-", not deunicode's default `[?]`.
    RoomSlug::from_title(&deunicode::deunicode_with_tofu(&title, "-"))
}

/// The address with a number appended, shortened to fit.
pub fn numbered(address: &RoomSlug, number: u32) -> Option<RoomSlug> {
    let suffix = format!("-{number}");
    let mut name = address.as_str().to_owned();
    name.truncate(SLUG_BYTES - suffix.len());
    RoomSlug::try_from(format!("{}{suffix}", name.trim_end_matches('-'))).ok()
}

/// An address for a title that suggests none, or whose numbers are all taken: 48 bits of its FNV-1a hash. Equal titles
/// have equal addresses.
pub fn opaque(title: &RoomTitle) -> Option<RoomSlug> {
    let hash = key(title).bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    RoomSlug::try_from(format!("room-{:012x}", hash >> 16)).ok()
}

/// What rooms' titles are compared by: two rooms never have titles with the same key. Those that differ only in case,
/// spaces and punctuation, and suggest the same address, have the same. Other differences, such as accents, make two
/// rooms.
pub fn title_key(title: &RoomTitle) -> String {
    let address = suggested(title).map_or_else(String::new, String::from);
    format!("{address} {}", key(title))
}

/// True if two titles have the same key.
pub fn same(one: &RoomTitle, two: &RoomTitle) -> bool {
    title_key(one) == title_key(two)
}

/// The title without spaces and punctuation, in lower case. A title of only those stays whole.
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

/// Spells out the signs in names of programming languages, such as C++ and C#.
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
    fn a_title_that_suggests_no_address_always_gets_the_same_one() {
        let address = |text: &str| opaque(&title(text)).expect("an address").to_string();
        assert_eq!(address("!!!"), address("!!!"));
        assert_ne!(address("!!!"), address("???"));
        assert_eq!(address("!!!").len(), "room-".len() + 12);
    }

    #[test]
    fn titles_that_look_alike_are_the_same() {
        for (one, two, expected) in [
            ("Night shift", "night SHIFT!", true),
            ("Night shift", "Nightshift", false),
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
