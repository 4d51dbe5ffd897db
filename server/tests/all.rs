//! The tests that start the binary, in one program: it is linked once, and tests that mostly wait run side by side.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod backup;
mod copy;
mod database;
mod http;
mod late;
mod log;
mod places;
mod replicas;
mod requests;
mod slow;
mod start;
mod stop;
mod support;
mod websocket;
