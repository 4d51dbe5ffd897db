//! Finds the addresses in a message. Everything else in it is plain text.

/// A piece of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Shown as it is.
    Text(String),
    /// An `http` or `https` address: shown as it is, and leads there.
    Link(String),
}

/// The pieces of a text; put together they are the text.
pub fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut shown = 0;
    let mut from = 0;
    while let Some(start) = next_address(text, from) {
        let end = start + address_length(&text[start..]);
        let host = text[start..end].split_once("://").map_or("", |(_, host)| host);
        if host.starts_with(|c: char| c.is_alphanumeric() || c == '[') {
            if shown < start {
                pieces.push(Piece::Text(text[shown..start].to_owned()));
            }
            pieces.push(Piece::Link(text[start..end].to_owned()));
            shown = end;
        }
        from = end.max(start + 1);
    }
    if shown < text.len() {
        pieces.push(Piece::Text(text[shown..].to_owned()));
    }
    pieces
}

/// Where the next address begins: `http://` or `https://` that does not continue a word.
fn next_address(text: &str, from: usize) -> Option<usize> {
    text[from..]
        .match_indices("http")
        .map(|(at, _)| from + at)
        .find(|&at| {
            let rest = &text[at..];
            (rest.starts_with("http://") || rest.starts_with("https://"))
                && !text[..at].ends_with(|c: char| c.is_alphanumeric())
        })
}

/// Bytes of the address at the start of a text: up to a space or a bracket, without the punctuation of the sentence
/// around it. A closing parenthesis belongs to the address if it was opened there.
fn address_length(text: &str) -> usize {
    let stop = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '<' | '>' | '"' | '`' | '“' | '”' | '„' | '«' | '»')
    };
    let mut address = &text[..text.find(stop).unwrap_or(text.len())];
    while let Some(last) = address.chars().next_back() {
        let part_of_sentence = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~' | '…' | '’' => true,
            ')' => address.matches(')').count() > address.matches('(').count(),
            ']' => address.matches(']').count() > address.matches('[').count(),
            _ => false,
        };
        if !part_of_sentence {
            break;
        }
        address = &address[..address.len() - last.len_utf8()];
    }
    address.len()
}

#[cfg(test)]
mod tests {
    use super::*;

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
            ("<https://a.org/ü>", "<{https://a.org/ü}>"),
            ("http://[::1]:3000/", "{http://[::1]:3000/}"),
            ("httphttp://a.org", "httphttp://a.org"),
        ] {
            assert_eq!(marked(text), expected);
        }
    }
}
