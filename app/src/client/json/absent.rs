//! Stands in on the server, where there is no JSON to read.
#![expect(missing_docs, reason = "documented in browser.rs")]

use serde::de::DeserializeOwned;

#[derive(Clone, Debug)]
pub struct Json;

impl Json {
    pub fn get(&self, _name: &str) -> Option<Self> {
        None
    }

    pub fn text(&self, _name: &str) -> Option<String> {
        None
    }

    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        None
    }
}
