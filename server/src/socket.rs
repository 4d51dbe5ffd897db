//! Socket.IO: the namespaces, and the event table.

mod ack;
mod caller;
mod connection;
mod create_room;
mod demo;
mod goodbye;
mod history;
mod inbox;
mod join;
mod leave;
mod line;
mod lines;
mod list_rooms;
mod logins;
mod queued;
mod roster;
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
pub use goodbye::say_goodbye;
pub use lines::Lines;
pub use logins::Logins;
pub use route::route;
pub use server::Server;

use backend::tireless;
use protocol::{ErrorCode, Refusal};

// `connection.rs` finds it here.
use crate::live::follower as fanout;

use connection::Connection;
use inbox::Command;

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
    connection::listen(state);
    demo::listen(state);
}

/// The event table of `/chat`: every command, and where it is answered.
async fn dispatch(connection: &mut Connection, command: Command) {
    let Command { name, payload, ack } = command;
    // `send` is taken up by `send::handle`, several at a time.
    macro_rules! answer {
        ($handler:path) => {{
            let result = $handler(connection, payload).await;
            connection.reply(ack, result);
        }};
    }
    match name.as_str() {
        "sign_in" => answer!(sign_in::handle),
        "list_rooms" => answer!(list_rooms::handle),
        "create_room" => answer!(create_room::handle),
        "join" => answer!(join::handle),
        "leave" => answer!(leave::handle),
        "history" => answer!(history::handle),
        "typing" => answer!(typing::handle),
        "roster" => answer!(roster::handle),
        #[cfg(test)]
        "panic" => panic!("as it is meant to"),
        _ => {
            let sentence = format!("there is no command \"{name}\"");
            connection.reply::<()>(ack, Err(Refusal::new(ErrorCode::UnknownCommand, sentence)));
        }
    }
}
