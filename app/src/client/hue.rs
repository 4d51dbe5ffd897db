//! One colour per person, the same everywhere: on every page, every replica and in every build.

use protocol::PersonId;

use super::platform;

/// Hues in the style sheet: classes `hue-0` to `hue-11`.
const HUES: u32 = 12;

/// The person's hue class.
pub fn hue(person: &PersonId) -> u8 {
    // FNV-1a: the standard library's hasher may change between versions, and the browser's would differ.
    let hash = person.as_str().bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    ((hash ^ (hash >> 16)) % HUES) as u8
}

/// What stands in the chip beside a name: its first character, as people see characters.
pub fn initial(name: &str) -> String {
    match name.as_bytes() {
        // Most names begin so; nothing of ASCII combines with what stands before it.
        [first, second, ..] if first.is_ascii() && second.is_ascii() => name[..1].to_ascii_uppercase(),
        _ => platform::upper(&platform::first_character(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::samples::person;

    #[test]
    fn the_same_for_ever_and_well_spread() {
        assert_eq!(hue(&person("ada").id), hue(&person("ada").id));
        let mut counts = [0; HUES as usize];
        for n in 0..1_200_u128 {
            counts[usize::from(hue(&PersonId::from_random(n * 0x9e37_79b9_7f4a_7c15)))] += 1;
        }
        assert!(counts.iter().all(|&n| n > 60), "{counts:?}");
    }

    #[test]
    fn initials() {
        assert_eq!(initial("ada"), "A");
        assert_eq!(initial("ßeta"), "SS");
        assert_eq!(initial("日本"), "日");
        assert_eq!(initial(""), "");
        assert_eq!(initial("é"), "É");
    }

    #[test]
    fn no_character_is_cut() {
        for whole in [
            "e\u{301}",
            "👩‍👩‍👧",
            "🇩🇪",
            "👍🏽",
            "नि",
            "กำ",
            "각",
            "1\u{fe0f}\u{20e3}",
        ] {
            assert_eq!(initial(&format!("{whole}x")).to_lowercase(), whole);
            assert_eq!(initial(whole).to_lowercase(), whole);
        }
    }
}
