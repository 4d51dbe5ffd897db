//! The tokens of a source file, without its comments, literals and tests.

/// Splits Rust into identifiers, `::` and single signs. Drops comments, literals, and everything under `#[cfg(test)]`.
pub fn tokens(source: &str) -> Vec<String> {
    without_tests(split(source))
}

fn split(source: &str) -> Vec<String> {
    let text: Vec<char> = source.chars().collect();
    let at = |n: usize| text.get(n).copied().unwrap_or('\0');
    let (mut tokens, mut n) = (Vec::new(), 0);
    while n < text.len() {
        match (at(n), at(n + 1)) {
            ('/', '/') => n = find(&text, n, &['\n']),
            ('/', '*') => n = end_of_comment(&text, n),
            ('"', _) => n = end_of_string(&text, n),
            ('r', '"' | '#') if raw(&text, n).is_some() => n = raw(&text, n).unwrap_or(n),
            ('b' | 'c', 'r') if raw(&text, n + 1).is_some() => n = raw(&text, n + 1).unwrap_or(n),
            // A character literal, or else a lifetime.
            ('\'', '\\') => n = find(&text, n + 3, &['\'']) + 1,
            ('\'', _) if at(n + 2) == '\'' => n += 3,
            ('\'', _) => n += 1,
            (':', ':') => {
                tokens.push("::".to_owned());
                n += 2;
            }
            (sign, _) if sign.is_alphanumeric() || sign == '_' => {
                let end = (n..text.len()).find(|&n| !at(n).is_alphanumeric() && at(n) != '_');
                let end = end.unwrap_or(text.len());
                tokens.push(text[n..end].iter().collect());
                n = end;
            }
            (sign, _) => {
                if !sign.is_whitespace() {
                    tokens.push(sign.to_string());
                }
                n += 1;
            }
        }
    }
    tokens
}

fn find(text: &[char], from: usize, signs: &[char]) -> usize {
    let found = (from..text.len()).find(|&n| signs.contains(&text[n]));
    found.unwrap_or(text.len())
}

fn end_of_comment(text: &[char], start: usize) -> usize {
    let (mut depth, mut n) = (0, start);
    while n < text.len() {
        match (text[n], text.get(n + 1)) {
            ('/', Some('*')) => (depth, n) = (depth + 1, n + 2),
            ('*', Some('/')) => (depth, n) = (depth - 1, n + 2),
            _ => n += 1,
        }
        if depth == 0 {
            break;
        }
    }
    n
}

fn end_of_string(text: &[char], start: usize) -> usize {
    let mut n = start + 1;
    while n < text.len() && text[n] != '"' {
        n += if text[n] == '\\' { 2 } else { 1 };
    }
    n + 1
}

/// The end of the raw string whose `r` is here.
fn raw(text: &[char], start: usize) -> Option<usize> {
    let hashes = text[start + 1..].iter().take_while(|sign| **sign == '#').count();
    let open = start + 1 + hashes;
    if text.get(open) != Some(&'"') {
        return None;
    }
    let close = (open + 1..text.len()).find(|&n| {
        text[n] == '"'
            && text[n + 1..]
                .iter()
                .take(hashes)
                .filter(|sign| **sign == '#')
                .count()
                == hashes
    });
    Some(close.unwrap_or(text.len()) + 1 + hashes)
}

fn without_tests(tokens: Vec<String>) -> Vec<String> {
    const TEST: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let (mut kept, mut n) = (Vec::new(), 0);
    while n < tokens.len() {
        if tokens[n..].iter().take(TEST.len()).eq(TEST.iter()) {
            n = end_of_item(&tokens, n + TEST.len());
        } else {
            kept.push(tokens[n].clone());
            n += 1;
        }
    }
    kept
}

/// The index after the item or `match` arm that begins here.
fn end_of_item(tokens: &[String], start: usize) -> usize {
    let mut depth = 0;
    for (n, token) in tokens.iter().enumerate().skip(start) {
        match token.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" => depth -= 1,
            "}" => {
                depth -= 1;
                if depth == 0 && tokens.get(n + 1).is_none_or(|next| next != ";") {
                    return n + 1;
                }
            }
            ";" | "," if depth == 0 => return n + 1,
            _ => {}
        }
    }
    tokens.len()
}

#[test]
fn comments_literals_and_tests_are_dropped() {
    let source = r##"
        use a::b; // use c::d
        /* use e; /* use f; */ */
        const S: &str = "use \" g"; const R: &str = r#"use " h"#;
        fn f<'a>(x: &'a str) -> char { '\'' }
        #[cfg(test)]
        mod tests { use super::*; }
        mod i;
    "##;
    let text = tokens(source).join(" ");
    let expected = "use a :: b ; const S : & str = ; const R : & str = ; \
                    fn f < a > ( x : & a str ) - > char { } mod i ;";
    assert_eq!(text, expected);
}
