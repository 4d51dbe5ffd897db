//! A cache of rendered pages for visitors who are not signed in.
//!
//! Such a page depends only on its site, address, theme and data, so these are the key: a new message means a new
//! page at once. The data contains the time, to the second.

use std::collections::HashMap;
use std::sync::Arc;

use app::{Document, Theme};

use crate::http::policy;

/// Bytes of all pages and keys together.
const BYTES: usize = 8 * 1024 * 1024;

/// Identifies a page and its content.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Key {
    site: String,
    path: String,
    query: String,
    theme: Theme,
    json: String,
}

impl Key {
    /// The key of a document with this data.
    pub fn of(document: &Document, json: &str) -> Self {
        Self {
            site: document.site.clone(),
            path: document.address.path.clone(),
            query: document.address.query.clone(),
            theme: document.visitor.theme,
            json: json.to_owned(),
        }
    }

    fn bytes(&self) -> usize {
        self.site.len() + self.path.len() + self.query.len() + self.json.len()
    }
}

/// A document split at its nonces.
pub struct Pieces(Vec<String>);

impl Pieces {
    /// Renders a document with its data.
    pub fn render(document: Document, json: String) -> Self {
        // The data was loaded before this value was drawn, so the page cannot contain it elsewhere.
        let gap = policy::nonce();
        let html = document.render(json, &gap);
        Self(html.split(&*gap).map(str::to_owned).collect())
    }

    pub fn with_nonce(&self, nonce: &str) -> String {
        self.0.join(nonce)
    }

    fn bytes(&self) -> usize {
        self.0.iter().map(String::len).sum()
    }
}

/// The pages, up to a number of bytes.
#[derive(Default)]
pub struct Cache {
    pages: HashMap<Key, Arc<Pieces>>,
    bytes: usize,
}

impl Cache {
    /// The page that was cached for this key.
    pub fn find(&mut self, key: &Key) -> Option<Arc<Pieces>> {
        self.pages.get(key).cloned()
    }

    /// Caches a page. If there is no room for it, drops all others: nearly all are of earlier seconds.
    pub fn keep(&mut self, key: Key, pieces: Arc<Pieces>) {
        let bytes = key.bytes() + pieces.bytes();
        if bytes > BYTES / 2 {
            return;
        }
        if self.bytes + bytes > BYTES {
            self.pages.clear();
            self.bytes = 0;
        }
        if self.pages.insert(key, pieces).is_none() {
            self.bytes += bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: usize) -> Key {
        Key {
            site: String::new(),
            path: n.to_string(),
            query: String::new(),
            theme: Theme::Auto,
            json: "{}".to_owned(),
        }
    }

    #[test]
    fn the_cache_stays_within_its_bytes() {
        let mut cache = Cache::default();
        let page = |bytes| Arc::new(Pieces(vec!["x".repeat(bytes)]));
        cache.keep(key(0), page(BYTES));
        assert!(cache.find(&key(0)).is_none(), "too large to be kept");
        for n in 0..100 {
            cache.keep(key(n), page(BYTES / 10));
            assert!(cache.find(&key(n)).is_some());
            let held: usize = cache
                .pages
                .iter()
                .map(|(key, page)| key.bytes() + page.bytes())
                .sum();
            assert_eq!(held, cache.bytes);
            assert!(held <= BYTES);
        }
    }

    #[test]
    fn every_answer_has_a_nonce_of_its_own() {
        let pieces = Pieces(
            "<style nonce=\"N\"></style><script nonce=\"N\"></script>"
                .split('N')
                .map(str::to_owned)
                .collect(),
        );
        assert_eq!(
            pieces.with_nonce("one"),
            "<style nonce=\"one\"></style><script nonce=\"one\"></script>"
        );
    }
}
