//! Where a form leads afterwards: always a page of this site, so that links to our sign-in cannot redirect elsewhere.

use serde::Deserialize;
use url::Url;

/// Longer addresses are refused.
const LONGEST: usize = 2_048;

/// The field `next` of a form.
#[derive(Deserialize)]
pub struct Next {
    #[serde(default)]
    next: String,
}

impl Next {
    /// The path and query, if they are of this site; otherwise the front page.
    ///
    /// The text is parsed by the URL standard, as a browser would, and the result is what was parsed, not what was
    /// sent: browsers skip tabs and line breaks, read `\\` as `/`, and `/.//x` as `//x`.
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

    /// Tries every short text of risky characters, and resolves it as a browser resolves `Location`.
    #[test]
    fn hostile_addresses_stay_on_this_site() {
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
