//! A server keeps nothing for anybody's browser.

use super::{Fields, Shelf};
use crate::client::json::Json;

/// There is no tab.
pub fn tab() -> String {
    String::new()
}

/// Nobody knows.
pub fn living_tabs(_answer: impl FnOnce(Option<Vec<String>>) + 'static) {}

/// There is none.
pub fn when_gone(_tab: &str, _call: impl FnOnce() + 'static) {}

/// Nothing is written.
pub fn write(_shelf: Shelf, _key: &str, _value: Option<Fields>) {}

/// Nothing is read.
pub fn read(_shelf: Shelf, _prefix: &str, _answer: impl FnOnce(Vec<Json>) + 'static) {}

/// Nothing is there.
pub fn clear(_shelf: Shelf, _prefix: &str, _done: impl FnOnce() + 'static) {}

/// Nothing goes wrong.
pub fn on_trouble(_tell: impl Fn(bool) + 'static) {}

/// There was none.
pub fn tab_before() -> Option<String> {
    None
}
