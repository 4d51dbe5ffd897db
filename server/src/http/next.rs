//! Where a form leads afterwards. It must be a page of this site: a link to our sign-in must not end elsewhere.

use serde::Deserialize;
use url::Url;

/// Longer addresses are none of ours.
const LONGEST: usize = 2_048;

/// The field `next` of a form.
#[derive(Deserialize)]
pub struct Next {
    #[serde(default)]
    next: String,
}

impl Next {
    /// A path of this site with its query; anything else means the front page.
    ///
    /// The text is read as a browser would read it, by the rules of the URL standard, and what is given back is what
    /// was understood, not what was sent: browsers skip tabs and line ends, take `\\` for `/`, and `/.//x` for `//x`.
    pub fn path(&self) -> String {
        self.inside().unwrap_or_else(|| "/".to_owned())
    }

    fn inside(&self) -> Option<String> {
        if !self.next.starts_with('/') || self.next.len() > LONGEST {
            return None;
        }
        let here = Url::parse("http://here.invalid").ok()?;
        let there = here.join(&self.next).ok()?;
        let path = there.path();
        if there.origin() != here.origin() || path.starts_with("//") {
            return None;
        }
        Some(match there.query() {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(next: &str) -> String {
        let next = next.to_owned();
        Next { next }.path()
    }

    #[test]
    fn a_redirect_stays_on_this_site() {
        for (next, expected) in [
            ("/rooms/lobby?before=9", "/rooms/lobby?before=9"),
            ("/rooms/lobby#end", "/rooms/lobby"),
            ("/a/../b", "/b"),
            ("", "/"),
            ("rooms/lobby", "/"),
            ("//evil.example", "/"),
            ("https://evil.example", "/"),
            ("javascript:alert(1)", "/"),
            ("/\\evil.example", "/"),
            ("/\t/evil.example", "/"),
            ("/\r\n/evil.example", "/"),
            ("/.//evil.example", "/"),
            ("/%2e//evil.example", "/"),
            ("/a/..//evil.example", "/"),
            ("/a\r\nSet-Cookie: x", "/aSet-Cookie:%20x"),
            ("/\u{0}/x", "/%00/x"),
        ] {
            assert_eq!(path(next), expected, "{next:?}");
        }
        assert_eq!(path(&format!("/{}", "x".repeat(LONGEST))), "/");
    }

    /// Every short text of the characters that matter, read as a browser reads a `Location`.
    #[test]
    fn whatever_is_sent_stays_on_this_site() {
        const LETTERS: [char; 12] = [
            '/', '\\', '\t', '\r', '\n', ' ', '.', ':', '@', '?', 'e', '\u{a0}',
        ];
        let here = Url::parse("https://here.invalid/session").unwrap();
        let mut texts = vec![String::new()];
        for _ in 0..4 {
            texts = texts
                .iter()
                .flat_map(|text| LETTERS.map(|letter| format!("{text}{letter}")))
                .collect();
            for text in &texts {
                for next in [format!("/{text}evil.example"), format!("{text}/evil.example")] {
                    let path = path(&next);
                    let there = here.join(&path).unwrap();
                    assert_eq!(there.origin(), here.origin(), "{next:?} became {path:?}");
                    assert!(
                        path.starts_with('/') && !path.starts_with("//"),
                        "{next:?} became {path:?}"
                    );
                    assert!(
                        path.bytes().all(|byte| byte.is_ascii_graphic()),
                        "{next:?} became {path:?}"
                    );
                }
            }
        }
    }
}
