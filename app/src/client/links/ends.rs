//! The characters that end an address: brackets, quotation marks, and punctuation that ends a sentence or clause, in
//! every script.

/// The non-ASCII characters of `[\p{Ps}\p{Pe}\p{Pi}\p{Pf}\p{Terminal_Punctuation}\p{Bidi_Control}]` in Unicode 16,
/// without the apostrophe U+2019, which also occurs inside words. Each entry holds the first character of a range, and
/// in its lowest eight bits the number of characters that follow. The test compares it with the tables of
/// `regex-syntax`.
#[rustfmt::skip]
#[expect(clippy::unusual_byte_groupings, reason = "a character and a length")]
const RANGES: [u32; 146] = [
    0xab_00, 0xbb_00, 0x37e_00, 0x387_00, 0x589_00, 0x5c3_00, 0x60c_00, 0x61b_04, 0x6d4_00, 0x700_0a,
    0x70c_00, 0x7f8_01, 0x830_05, 0x837_07, 0x85e_00, 0x964_01, 0xe5a_01, 0xf08_00, 0xf0d_05, 0xf3a_03,
    0x104a_01, 0x1361_07, 0x166e_00, 0x169b_01, 0x16eb_02, 0x1735_01, 0x17d4_02, 0x17da_00, 0x1802_03, 0x1808_01,
    0x1944_01, 0x1aa8_03, 0x1b4e_01, 0x1b5a_01, 0x1b5d_02, 0x1b7d_02, 0x1c3b_04, 0x1c7e_01, 0x200e_01, 0x2018_00,
    0x201a_05, 0x2024_00, 0x202a_04, 0x2039_01, 0x203c_01, 0x2045_04, 0x2066_03, 0x207d_01, 0x208d_01, 0x2308_03,
    0x2329_01, 0x2768_0d, 0x27c5_01, 0x27e6_09, 0x2983_15, 0x29d8_03, 0x29fc_01, 0x2cf9_02, 0x2e02_03, 0x2e09_01,
    0x2e0c_01, 0x2e1c_01, 0x2e20_09, 0x2e2e_00, 0x2e3c_00, 0x2e41_01, 0x2e4c_00, 0x2e4e_01, 0x2e53_09, 0x3001_01,
    0x3008_09, 0x3014_07, 0x301d_02, 0xa4fe_01, 0xa60d_02, 0xa6f3_04, 0xa876_01, 0xa8ce_01, 0xa92f_00, 0xa9c7_02,
    0xaa5d_02, 0xaadf_00, 0xaaf0_01, 0xabeb_00, 0xfd3e_01, 0xfe12_00, 0xfe15_03, 0xfe35_0f, 0xfe47_01, 0xfe50_02,
    0xfe54_03, 0xfe59_05, 0xff01_00, 0xff08_01, 0xff0c_00, 0xff0e_00, 0xff1a_01, 0xff1f_00, 0xff3b_00, 0xff3d_00,
    0xff5b_00, 0xff5d_00, 0xff5f_05, 0x1039f_00, 0x103d0_00, 0x10857_00, 0x1091f_00, 0x10a56_01, 0x10af0_05, 0x10b3a_05,
    0x10b99_03, 0x10f55_04, 0x10f86_03, 0x11047_06, 0x110be_03, 0x11141_02, 0x111c5_01, 0x111cd_00, 0x111de_01, 0x11238_04,
    0x112a9_00, 0x113d4_01, 0x1144b_02, 0x1145a_01, 0x115c2_03, 0x115c9_0e, 0x11641_01, 0x1173c_02, 0x11944_00, 0x11946_00,
    0x11a42_01, 0x11a9b_01, 0x11aa1_01, 0x11c41_02, 0x11c71_00, 0x11ef7_01, 0x11f43_01, 0x12470_04, 0x16a6e_01, 0x16af5_00,
    0x16b37_02, 0x16b44_00, 0x16d6e_01, 0x16e97_01, 0x1bc9f_00, 0x1da87_03,
];

/// True if an address ends before this character.
pub fn ends(c: char) -> bool {
    if c.is_ascii() {
        return c <= ' ' || matches!(c, '<' | '>' | '"' | '`' | '\\' | '{' | '}' | '|' | '^' | '\u{7f}');
    }
    if c.is_alphanumeric() {
        return false;
    }
    let code = u32::from(c);
    let range = RANGES.partition_point(|range| range >> 8 <= code);
    let punctuation = range
        .checked_sub(1)
        .is_some_and(|range| code - (RANGES[range] >> 8) <= RANGES[range] & 0xff);
    punctuation || c.is_whitespace() || c.is_control()
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex_syntax::hir::{Class, HirKind};

    #[test]
    fn the_table_matches_unicode() {
        let class = r"[[\p{Ps}\p{Pe}\p{Pi}\p{Pf}\p{Terminal_Punctuation}\p{Bidi_Control}\p{White_Space}\p{Cc}]--[\u{2019}]]";
        let class = regex_syntax::parse(class).unwrap();
        let HirKind::Class(Class::Unicode(class)) = class.kind() else {
            panic!("not a class of characters")
        };
        for c in '\u{80}'..=char::MAX {
            let expected = class
                .ranges()
                .iter()
                .any(|range| (range.start()..=range.end()).contains(&c));
            assert_eq!(ends(c), expected, "{c:?}");
        }
    }
}
