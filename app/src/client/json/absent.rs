//! Stands in on the server, where there is no JSON to read.
#![expect(missing_docs, reason = "documented in browser.rs")]

use protocol::read::Read;

#[derive(Clone, Debug)]
pub struct Json;

impl Json {
    /// Parses nothing.
    pub fn parse(_text: &str) -> Option<Self> {
        None
    }

    pub fn get(&self, _name: &str) -> Option<Self> {
        None
    }

    pub fn text(&self, _name: &str) -> Option<String> {
        None
    }

    pub fn read<T: Read>(&self) -> Option<T> {
        None
    }
}
