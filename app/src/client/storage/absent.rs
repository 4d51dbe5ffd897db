//! Stands in on the server, where nothing is stored.
#![expect(missing_docs, reason = "documented in browser.rs")]

use super::{Fields, Shelf};
use crate::client::json::Json;

pub fn tab() -> String {
    String::new()
}

pub fn open_tabs(_answer: impl FnOnce(Option<Vec<String>>) + 'static) {}

pub fn when_closed(_tab: &str, _call: impl FnOnce() + 'static) {}

pub fn write(_shelf: Shelf, _key: &str, _value: Option<Fields>) {}

pub fn read(_shelf: Shelf, _prefix: &str, _answer: impl FnOnce(Vec<Json>) + 'static) {}

pub fn clear(_shelf: Shelf, _prefix: &str, _done: impl FnOnce() + 'static) {}

pub fn refuse(_person: &str) {}

pub fn refuses(_person: &str) -> bool {
    false
}

pub fn on_refusal(_tell: impl Fn() + 'static) {}

pub fn on_failure(_tell: impl Fn(bool) + 'static) {}

pub fn tab_before() -> Option<String> {
    None
}
