//! Finds web addresses in a message. Everything else is plain text.
//!
//! One pass over the text: the time is linear in its length, whatever it contains.

mod ends;

use ends::ends;

/// Maximum length of an address in bytes. Browsers and servers do not reliably accept longer ones.
const ADDRESS_BYTES: usize = 2_048;

/// Maximum number of links in one message. Further addresses stay plain text, which costs a page far less than a link.
const LINKS: usize = 100;

/// A piece of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Plain text.
    Text(String),
    /// An `http` or `https` address, shown as written.
    Link(String),
}

/// Splits a text into pieces. Joined together they are the text.
pub fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    // `shown`: the end of the text that is in a piece. `read`: the end of the text that has been read.
    let (mut shown, mut read) = (0, 0);
    let mut left = LINKS;
    while left > 0
        && let Some(found) = text[read..].find("://")
    {
        let host = read + found + "://".len();
        let scheme = scheme(&text[shown..read + found]);
        read = host + length(&text[host..]);
        let Some(scheme) = scheme.filter(|_| is_link(&text[host..read])) else {
            continue;
        };
        let start = host - "://".len() - scheme;
        if shown < start {
            pieces.push(Piece::Text(text[shown..start].to_owned()));
        }
        pieces.push(Piece::Link(text[start..read].to_owned()));
        shown = read;
        left -= 1;
    }
    if shown < text.len() {
        pieces.push(Piece::Text(text[shown..].to_owned()));
    }
    pieces
}

/// Length in bytes of the `http` or `https` at the end of a text, unless it is the end of a longer word.
///
/// Letters of Latin, Greek, Cyrillic and related alphabets before it make it part of a word. Chinese, Thai or Hebrew
/// text may touch an address.
fn scheme(before: &str) -> Option<usize> {
    let scheme = ["https", "http"].into_iter().find(|scheme| {
        let at = before.len().checked_sub(scheme.len());
        at.and_then(|at| before.get(at..))
            .is_some_and(|end| end.eq_ignore_ascii_case(scheme))
    })?;
    let spaced = |c: char| matches!(c, '\0'..'\u{590}' | '\u{1e00}'..'\u{2000}') && c.is_alphanumeric();
    let word = before[..before.len() - scheme.len()].ends_with(spaced);
    (!word).then_some(scheme.len())
}

/// Length in bytes of the address at the start of a text, without the punctuation of the surrounding sentence. A
/// closing bracket belongs to the address if its opening bracket does.
fn length(text: &str) -> usize {
    let (mut round, mut square) = (0_u32, 0_u32);
    let mut length = 0;
    for (at, c) in text.char_indices() {
        let open = match c {
            '(' | ')' => &mut round,
            _ => &mut square,
        };
        let part = match c {
            '(' | '[' => {
                *open += 1;
                false
            }
            ')' | ']' if *open == 0 => false,
            ')' | ']' => {
                *open -= 1;
                true
            }
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~' | '…' | '’' => false,
            c if ends(c) => break,
            _ => true,
        };
        if part {
            length = at + c.len_utf8();
        }
    }
    length
}

/// True if this, after `https://`, leads to the host that a reader sees.
///
/// `https://good.example@evil.example` leads to the second host, so an address with a user name is not a link.
fn is_link(address: &str) -> bool {
    let end = address.find(['/', '?', '#']).unwrap_or(address.len());
    let host = &address[..end];
    address.len() <= ADDRESS_BYTES
        && host.starts_with(|c: char| c.is_alphanumeric() || c == '[')
        && !host.contains('@')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    /// The pieces with links in braces.
    fn marked(text: &str) -> String {
        let pieces = pieces(text);
        let whole: String = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) | Piece::Link(text) => text.as_str(),
            })
            .collect();
        assert_eq!(whole, text, "nothing is lost");
        pieces
            .into_iter()
            .map(|piece| match piece {
                Piece::Text(text) => text,
                Piece::Link(link) => format!("{{{link}}}"),
            })
            .collect()
    }

    #[test]
    fn addresses_in_sentences() {
        for (text, expected) in [
            ("no address", "no address"),
            (
                "see https://example.org/a?b=c#d.",
                "see {https://example.org/a?b=c#d}.",
            ),
            ("(http://example.org)", "({http://example.org})"),
            ("https://e.org/a_(b), yes", "{https://e.org/a_(b)}, yes"),
            ("https://a.org https://b.org", "{https://a.org} {https://b.org}"),
            ("xhttps://a.org", "xhttps://a.org"),
            ("http:// https://.", "http:// https://."),
            (
                "javascript:alert(1) ftp://a.org",
                "javascript:alert(1) ftp://a.org",
            ),
            ("日本語https", "日本語https"),
            ("HTTPS://E.org, Https://e.org", "{HTTPS://E.org}, {Https://e.org}"),
            ("http://https://a.org", "{http://https://a.org}"),
            ("http://.https://a.org", "http://.https://a.org"),
            ("https://e.org/a)b(c", "{https://e.org/a)b(c}"),
            ("https://e.org/a (b)", "{https://e.org/a} (b)"),
            ("[x](https://e.org/a)", "[x]({https://e.org/a})"),
            ("https://e.org\\@f.org", "{https://e.org}\\@f.org"),
            ("<https://a.org/ü>", "<{https://a.org/ü}>"),
            ("http://[::1]:3000/", "{http://[::1]:3000/}"),
            ("httphttp://a.org", "httphttp://a.org"),
        ] {
            assert_eq!(marked(text), expected);
        }
    }

    #[test]
    fn addresses_in_sentences_in_any_script() {
        for (text, expected) in [
            ("请看https://e.org/a。谢谢", "请看{https://e.org/a}。谢谢"),
            ("（https://e.org/a）", "（{https://e.org/a}）"),
            ("「https://e.org」を見て", "「{https://e.org}」を見て"),
            (
                "https://e.org/a，https://e.org/b",
                "{https://e.org/a}，{https://e.org/b}",
            ),
            ("https://e.org！すごい", "{https://e.org}！すごい"),
            ("انظر https://e.org/a، ثم", "انظر {https://e.org/a}، ثم"),
            ("هل رأيت https://e.org؟", "هل رأيت {https://e.org}؟"),
            (
                "देखो https://hi.wikipedia.org/wiki/हिन्दी।",
                "देखो {https://hi.wikipedia.org/wiki/हिन्दी}।",
            ),
            ("ดูhttps://e.org/ไทย", "ดู{https://e.org/ไทย}"),
            ("ראו https://e.org/א׃", "ראו {https://e.org/א}׃"),
            ("«https://e.org/é»", "«{https://e.org/é}»"),
            (
                "‹https://e.org› „https://e.org“",
                "‹{https://e.org}› „{https://e.org}“",
            ),
            (
                "⟨https://e.org⟩ 【https://e.org】",
                "⟨{https://e.org}⟩ 【{https://e.org}】",
            ),
            (
                "https://fr.wikipedia.org/wiki/L’été’",
                "{https://fr.wikipedia.org/wiki/L’été}’",
            ),
            ("https://e.org/😀 🙂", "{https://e.org/😀} 🙂"),
            ("смотриhttps://e.org", "смотриhttps://e.org"),
            ("https://e.org\u{202e}gpj.exe", "{https://e.org}\u{202e}gpj.exe"),
            ("https://e.org\u{3000}次", "{https://e.org}\u{3000}次"),
        ] {
            assert_eq!(marked(text), expected);
        }
    }

    #[test]
    fn a_link_leads_to_the_host_that_a_reader_sees() {
        for text in [
            "https://good.example@evil.example/",
            "https://good.example:80@evil.example/x",
            "https://good.example%2f@evil.example",
            "https://good.example;x@evil.example?y",
            "https://@evil.example",
        ] {
            assert_eq!(marked(text), text);
        }
        assert_eq!(marked("https://e.org/@ada"), "{https://e.org/@ada}");
        let long = format!("https://e.org/{}", "a".repeat(ADDRESS_BYTES));
        assert_eq!(marked(&long), long, "too long to be an address");
    }

    #[test]
    fn a_message_has_a_limited_number_of_links() {
        let many = "https://e.org ".repeat(500);
        let links = pieces(&many)
            .iter()
            .filter(|piece| matches!(piece, Piece::Link(_)))
            .count();
        assert_eq!(links, LINKS);
    }

    /// Inputs that would make a naive parser read the same characters again and again.
    const HOSTILE: &[(&str, &str)] = &[
        ("https://a", ")"),
        ("https://a", "]"),
        ("https://a", "()"),
        ("https://a", "."),
        ("https://a", "("),
        ("", "https://a)"),
        ("", "http://"),
        ("", "http://."),
        ("", "http"),
        ("", "https"),
        ("", "://"),
        ("", "x://@"),
        ("https://", "a@"),
        ("https://a/", "。"),
        ("https://a/", "\u{301}"),
        ("https://a/", "’"),
        ("", "https://a.org "),
        ("", "\u{202e}"),
    ];

    fn time(text: &str) -> Duration {
        let begun = Instant::now();
        std::hint::black_box(pieces(text));
        begun.elapsed()
    }

    #[test]
    fn hostile_texts_take_linear_time() {
        for (start, again) in HOSTILE {
            let text = |bytes: usize| format!("{start}{}", again.repeat(bytes / again.len()));
            let (short, long) = (text(16_000), text(128_000));
            // Eight times the length takes eight times the time if linear, 64 times if quadratic. Other load only adds
            // to a measurement, so compare minima, and measure until they fit.
            let (mut least_short, mut least_long) = (Duration::MAX, Duration::MAX);
            let linear = (0..100).any(|_| {
                least_short = least_short.min(time(&short));
                least_long = least_long.min(time(&long));
                least_long < least_short * 24 + Duration::from_millis(2)
            });
            assert!(linear, "{start}{again}…: {least_short:?}, then {least_long:?}");
        }
    }
}
