//! The tests that start the binary. They are one program: they mostly wait, so they wait side by side, and it is linked
//! once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod http;
mod late;
mod log;
mod places;
mod requests;
mod slow;
mod start;
mod stop;
mod support;
mod websocket;
