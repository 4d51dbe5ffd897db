//! Socket.IO: the namespaces, and the state of a connection. The table of commands is in `commands.rs`.

mod ack;
pub mod caller;
mod chat;
pub mod connection;
mod demo;
pub mod goodbye;
mod inbox;
mod join;
mod leave;
mod line;
pub mod lines;
pub mod logins;
pub mod queued;
pub mod route;
mod send;
pub mod server;
mod sign_in;
mod slow;
mod typing;

#[cfg(test)]
mod tests;

use backend::tireless;

use crate::state::State;

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
