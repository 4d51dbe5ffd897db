//! Socket.IO: the namespaces, and the event table.

mod audience;
mod caller;
mod connection;
mod create_room;
mod demo;
mod fanout;
mod goodbye;
mod history;
mod inbox;
mod join;
mod leave;
mod line;
mod list_rooms;
mod pack;
mod roster;
mod send;
mod server;
mod sign_in;
mod slow;
mod typing;
mod upgrade;

pub use fanout::Fanout;
pub use goodbye::say_goodbye;
pub use line::Lines;
pub use server::{Server, route};

use protocol::{ErrorCode, Refusal, Reply};
use serde::Serialize;
use serde_json::value::RawValue;

use connection::Connection;
use inbox::Command;

use crate::state::State;

/// Starts to listen on every namespace.
pub fn listen(state: &State) {
    connection::listen(state);
    demo::listen(state);
}

/// The event table of `/chat`: every command, and where it is answered.
async fn dispatch(connection: &mut Connection, command: Command) {
    let Command { name, payload, ack } = command;
    let reply = match name.as_str() {
        "sign_in" => answer(sign_in::handle(connection, payload).await),
        "list_rooms" => answer(list_rooms::handle(connection, payload).await),
        "create_room" => answer(create_room::handle(connection, payload).await),
        "join" => answer(join::handle(connection, payload).await),
        "leave" => answer(leave::handle(connection, payload).await),
        "history" => answer(history::handle(connection, payload).await),
        "typing" => answer(typing::handle(connection, payload).await),
        "roster" => answer(roster::handle(connection, payload).await),
        // `send` is taken up by `send::handle`, several at a time.
        _ => answer::<()>(Err(Refusal::new(
            ErrorCode::UnknownCommand,
            format!("there is no command \"{name}\""),
        ))),
    };
    connection.reply(ack, reply);
}

/// A reply as it travels.
type Answer = Reply<Box<RawValue>>;

fn answer<T: Serialize>(result: Result<T, Refusal>) -> Answer {
    let encoded = result.and_then(|value| {
        serde_json::value::to_raw_value(&value).map_err(|error| {
            tracing::error!(%error, "an answer could not be encoded");
            Refusal::new(ErrorCode::Internal, "the server made a mistake; it is in its log")
        })
    });
    encoded.into()
}
