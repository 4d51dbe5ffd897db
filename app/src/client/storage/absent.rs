//! Stands in on the server, where nothing is stored.

use super::{Fields, Shelf};
use crate::client::json::Json;

/// The id of this tab.
pub fn tab() -> String {
    String::new()
}

/// Lists the open tabs.
pub fn open_tabs(_answer: impl FnOnce(Option<Vec<String>>) + 'static) {}

/// Calls back when a tab closes.
pub fn when_closed(_tab: &str, _call: impl FnOnce() + 'static) {}

/// Writes or deletes a value.
pub fn write(_shelf: Shelf, _key: &str, _value: Option<Fields>) {}

/// Reads values by key prefix.
pub fn read(_shelf: Shelf, _prefix: &str, _answer: impl FnOnce(Vec<Json>) + 'static) {}

/// Deletes values by key prefix.
pub fn clear(_shelf: Shelf, _prefix: &str, _done: impl FnOnce() + 'static) {}

/// Reports whether text cannot be stored.
pub fn on_failure(_tell: impl Fn(bool) + 'static) {}

/// The id that this tab had before a reload.
pub fn tab_before() -> Option<String> {
    None
}
