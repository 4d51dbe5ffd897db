//! Invisible characters and combining marks, by Unicode's properties (version 16). The tables are small enough for
//! the browser; a test compares them with the real ones.

/// Combining marks that a letter keeps in a name. Vietnamese, Thai and pointed Hebrew need no more.
const MARKS: usize = 4;

/// The property `Default_Ignorable_Code_Point`: characters that are not drawn.
pub fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// True if a text of only such characters looks empty.
pub fn is_invisible(c: char) -> bool {
    // U+2800, the Braille pattern without dots, is a symbol but looks blank.
    c.is_whitespace() || c == '\u{2800}' || is_ignorable(c)
}

/// Characters that change the direction of the text after them. In a name they would garble the text beside it.
pub fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Combining marks of the scripts in which several can be stacked on a letter.
pub fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{5bf}'
        | '\u{5c1}'..='\u{5c2}' | '\u{5c4}'..='\u{5c5}' | '\u{5c7}' | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6dc}' | '\u{6df}'..='\u{6e4}'
        | '\u{6e7}'..='\u{6e8}' | '\u{6ea}'..='\u{6ed}' | '\u{711}' | '\u{730}'..='\u{74a}'
        | '\u{7eb}'..='\u{7f3}' | '\u{816}'..='\u{819}' | '\u{897}'..='\u{89f}' | '\u{8ca}'..='\u{8e1}'
        | '\u{8e3}'..='\u{902}' | '\u{951}'..='\u{954}' | '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}'
        | '\u{eb1}' | '\u{eb4}'..='\u{ebc}' | '\u{ec8}'..='\u{ece}' | '\u{f71}'..='\u{f7e}'
        | '\u{f80}'..='\u{f84}' | '\u{f8d}'..='\u{fbc}' | '\u{1ab0}'..='\u{1ace}' | '\u{1cd0}'..='\u{1cd2}' | '\u{1cd4}'..='\u{1ce0}' | '\u{1ce2}'..='\u{1ce8}' | '\u{1ced}' | '\u{1cf4}' | '\u{1cf8}'..='\u{1cf9}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20f0}' | '\u{2de0}'..='\u{2dff}' | '\u{302a}'..='\u{302d}' | '\u{3099}'..='\u{309a}'
        | '\u{a66f}'..='\u{a672}' | '\u{a674}'..='\u{a67d}' | '\u{a69e}'..='\u{a69f}' | '\u{fb1e}' | '\u{fe20}'..='\u{fe2f}')
}

/// Symbols that variation selectors and joiners turn into emoji.
fn is_picture(c: char) -> bool {
    matches!(c,
        '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{2190}'..='\u{21ff}'
        | '\u{2300}'..='\u{23ff}' | '\u{24c2}' | '\u{25a0}'..='\u{27bf}' | '\u{2900}'..='\u{297f}'
        | '\u{2b00}'..='\u{2bff}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}'
        | '\u{1f000}'..='\u{1faff}')
}

/// True for one emoji: pictures that joiners make one, a flag, or a keycap. Accepts a few symbols that are not emoji, to
/// do without tables of all emoji.
pub fn is_emoji(text: &str) -> bool {
    let mut chars = text.chars().peekable();
    let Some(first) = chars.next() else { return false };
    if matches!(first, '0'..='9' | '#' | '*') {
        chars.next_if_eq(&'\u{fe0f}');
        return chars.eq(['\u{20e3}']);
    }
    if is_regional(first) {
        return chars.next().is_some_and(is_regional) && chars.next().is_none();
    }
    let mut picture = Some(first);
    while picture.is_some_and(is_picture) && !picture.is_some_and(is_regional) {
        if chars.next_if(|&c| is_tone(c)).is_none() {
            chars.next_if_eq(&'\u{fe0f}');
        }
        if picture == Some('🏴') && chars.peek().is_some_and(|&c| is_tag(c)) {
            while chars.next_if(|&c| is_tag(c)).is_some() {}
            return chars.eq(['\u{e007f}']);
        }
        match chars.next() {
            None => return true,
            Some('\u{200d}') => picture = chars.next(),
            Some(_) => return false,
        }
    }
    false
}

/// Two of these are a flag.
fn is_regional(c: char) -> bool {
    matches!(c, '\u{1f1e6}'..='\u{1f1ff}')
}

/// A skin tone.
fn is_tone(c: char) -> bool {
    matches!(c, '\u{1f3fb}'..='\u{1f3ff}')
}

/// A letter or digit of a flag of a region.
fn is_tag(c: char) -> bool {
    matches!(c, '\u{e0020}'..='\u{e007e}')
}

/// Replaces full-width letters, digits and punctuation by ordinary ones.
fn narrow(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

/// Tidies a name so that names that look the same are more often equal: removes invisible characters, repeated spaces
/// and marks beyond [`MARKS`], and narrows full-width letters. Characters that form emoji stay, and so does the
/// non-joiner between Arabic letters.
pub fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    // The character that marks, selectors and joiners apply to, and the number of its marks.
    let mut base = None;
    let mut marks = 0;
    let mut chars = text.chars().map(narrow).peekable();
    while let Some(c) = chars.next() {
        if is_ignorable(c) {
            if belongs(c, base, tidy.chars().next_back(), chars.peek().copied()) {
                tidy.push(c);
            }
        } else if is_mark(c) {
            marks += 1;
            if base.is_some() && marks <= MARKS {
                tidy.push(c);
            }
        } else if c.is_whitespace() {
            base = None;
            if !tidy.is_empty() && !tidy.ends_with(' ') {
                tidy.push(' ');
            }
        } else {
            (base, marks) = (Some(c), 0);
            tidy.push(c);
        }
    }
    tidy.truncate(tidy.trim_end().len());
    tidy
}

/// True if an ignorable character has a meaning in this context.
fn belongs(c: char, base: Option<char>, last: Option<char>, next: Option<char>) -> bool {
    let arabic = |c: Option<char>| matches!(c, Some('\u{620}'..='\u{64a}' | '\u{66e}'..='\u{6d3}'));
    match c {
        '\u{fe0e}' | '\u{fe0f}' => last == base && (base.is_some_and(is_picture) || next == Some('\u{20e3}')),
        '\u{200d}' => {
            let selected = last == base || matches!(last, Some('\u{fe0e}' | '\u{fe0f}'));
            selected && base.is_some_and(is_picture) && next.is_some_and(is_picture)
        }
        '\u{200c}' => arabic(last) && arabic(next),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The real property, from the Unicode tables of `regex-syntax`.
    fn property(pattern: &str) -> Vec<(u32, u32)> {
        let class = regex_syntax::parse(pattern).expect(pattern);
        let regex_syntax::hir::HirKind::Class(regex_syntax::hir::Class::Unicode(class)) = class.kind() else {
            panic!("{pattern} is not a class");
        };
        class
            .ranges()
            .iter()
            .map(|range| (range.start().into(), range.end().into()))
            .collect()
    }

    fn chars() -> impl Iterator<Item = char> {
        '\0'..=char::MAX
    }

    fn is_in(ranges: &[(u32, u32)], c: char) -> bool {
        let index = ranges.partition_point(|(_, last)| *last < u32::from(c));
        ranges.get(index).is_some_and(|(first, _)| *first <= u32::from(c))
    }

    #[test]
    fn ignorable_characters_match_unicode() {
        let real = property(r"\p{Default_Ignorable_Code_Point}");
        for c in chars() {
            assert_eq!(is_ignorable(c), is_in(&real, c), "U+{:04X}", u32::from(c));
        }
    }

    #[test]
    fn marks_match_unicode() {
        let real = property(r"[\p{Mn}\p{Me}\p{Cn}]");
        for c in chars().filter(|&c| is_mark(c)) {
            assert!(is_in(&real, c), "U+{:04X} is not a mark", u32::from(c));
        }
        let stacking = property(
            r"[[\p{Mn}\p{Me}]&&[\p{Script=Inherited}\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Thai}\p{Script=Lao}\p{Script=Cyrillic}]&&[\x{0}-\x{ffff}]]",
        );
        let missing: Vec<_> = chars()
            .filter(|&c| is_in(&stacking, c) && !is_ignorable(c) && !is_mark(c))
            .collect();
        assert!(missing.is_empty(), "these can be stacked: {missing:?}");
    }

    #[test]
    fn invisible_characters_are_removed() {
        for hidden in chars().filter(|&c| is_ignorable(c)) {
            let name = format!("A{hidden}da{hidden}");
            assert_eq!(tidy(&name), "Ada", "U+{:04X}", u32::from(hidden));
            assert!(is_invisible(hidden));
        }
        for (name, tidied) in [
            ("  Ada \u{3000}\u{a0} Lovelace ", "Ada Lovelace"),
            ("Ａｄａ", "Ada"),
            ("A\u{e0061}da", "Ada"),
            ("\u{301}Ada", "Ada"),
            (
                "Z\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}algo",
                "Z\u{301}\u{302}\u{303}\u{304}algo",
            ),
            ("Ngu\u{302}\u{303}n", "Ngu\u{302}\u{303}n"),
            ("علی\u{200c}رضا", "علی\u{200c}رضا"),
            ("Ada\u{200c}رضا", "Adaرضا"),
            ("สมชาย ที่รัก", "สมชาย ที่รัก"),
            ("दीपिका", "दीपिका"),
            ("שָׁלוֹם", "שָׁלוֹם"),
            ("Ada ❤\u{fe0f}\u{fe0f}", "Ada ❤\u{fe0f}"),
            ("👩\u{200d}❤\u{fe0f}\u{200d}👨", "👩\u{200d}❤\u{fe0f}\u{200d}👨"),
            ("👩🏽\u{200d}💻\u{200d}", "👩🏽\u{200d}💻"),
            ("👩\u{200d}\u{200d}💻", "👩\u{200d}💻"),
            ("1\u{fe0f}\u{20e3}", "1\u{fe0f}\u{20e3}"),
        ] {
            assert_eq!(tidy(name), tidied, "{name:?}");
        }
    }

    #[test]
    fn tidying_twice_changes_nothing() {
        const LETTERS: [char; 11] = [
            'a', ' ', '\u{301}', '\u{200d}', '\u{fe0f}', '❤', '👩', 'ع', '\u{200c}', '\u{3000}', '\u{ad}',
        ];
        let mut texts = vec![String::new()];
        for _ in 0..5 {
            texts = texts
                .iter()
                .flat_map(|text| LETTERS.map(|letter| format!("{text}{letter}")))
                .collect();
        }
        for text in texts {
            let once = tidy(&text);
            assert_eq!(tidy(&once), once, "{text:?}");
        }
    }
}
