//! One colour per person, the same on every page, on every replica and in every build.

use protocol::PersonId;

use super::platform;

/// Number of hues in the style sheet: classes `hue-0` to `hue-11`.
const HUES: u32 = 12;

/// The number of the person's hue class.
pub fn hue(person: &PersonId) -> u8 {
    // FNV-1a: the standard library's hasher may change between versions and differ in the browser.
    let hash = person.as_str().bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    ((hash ^ (hash >> 16)) % HUES) as u8
}

/// The letter in the chip beside a name: the name's first grapheme cluster, in upper case.
pub fn initial(name: &str) -> String {
    match name.as_bytes() {
        // The common case: an ASCII character never combines with the one before it.
        [first, second, ..] if first.is_ascii() && second.is_ascii() => name[..1].to_ascii_uppercase(),
        _ => platform::upper(&platform::first_character(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use client::samples::person;

    #[test]
    fn hues_are_stable_and_well_spread() {
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
    fn grapheme_clusters_stay_whole() {
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
