//! Stands in on the server, where there is no socket.
#![expect(missing_docs, reason = "documented in browser.rs")]

use super::{Answer, Attempt, Incoming};

pub fn open(_attempt: Attempt, _handler: impl Fn(Incoming) + 'static) {}

pub fn prepare(_attempt: Attempt) {}

pub fn emit(_command: &str, _json: &str, _answer: Answer) {}

pub fn connect() {}

pub fn disconnect() {}
