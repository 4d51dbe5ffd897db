//! Socket.IO: the namespaces, and what a connection keeps. The table of commands is in `commands.rs`.

mod ack;
mod caller;
mod chat;
mod connection;
mod demo;
mod goodbye;
mod inbox;
mod join;
mod leave;
mod line;
mod lines;
mod logins;
mod queued;
mod route;
mod send;
mod server;
mod sign_in;
mod slow;
mod typing;

#[cfg(test)]
mod tests;

#[allow(unused_imports, reason = "for the echo server of the official suites")]
pub use caller::wire;
pub use connection::Connection;
pub use goodbye::say_goodbye;
pub use lines::Lines;
pub use logins::Logins;
pub use queued::{Command, Payload};
pub use route::route;
pub use server::Server;

use crate::state::State;
use backend::tireless;

/// Starts to listen on every namespace.
pub fn listen(state: &State) {
    let (hub, logins) = (state.hub.clone(), state.logins.clone());
    let forgetting = hub.clone();
    tokio::spawn(tireless("ends of sessions", move || {
        logins::follow(hub.clone(), logins.clone())
    }));
    tokio::spawn(tireless("expired sessions", move || {
        logins::forget(forgetting.clone())
    }));
    chat::listen(state);
    demo::listen(state);
}
