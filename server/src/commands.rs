//! The table of commands: what a connection or a request can ask for, and how it is answered.

use chat::{Caller, Hub, UseCase};
use protocol::{
    Ask, CreateRoom, Delete, Edit, ErrorCode, History, Join, Leave, ListRooms, React, Refusal, Reply, Roster,
    Send, SetTitle, SignIn, Typing,
};

use crate::refusals::{read, refuse};
use crate::socket::connection::Connection;
use crate::socket::queued::{Payload, ReceivedCommand};

/// A command that the chat answers.
pub trait Command: Ask + UseCase<Answer = <Self as Ask>::Answer> + std::marker::Send {
    /// Runs the command for a connection. Most commands only pass it on to the hub; those that store something, in order.
    fn on(
        self,
        connection: &mut Connection,
    ) -> impl Future<Output = Result<<Self as Ask>::Answer, Refusal>> + std::marker::Send {
        async move {
            if stores(Self::NAME) {
                connection.ask_in_order(self).await
            } else {
                connection.ask(self).await
            }
        }
    }
}

/// An answer as JSON, with the refusal if there is one.
pub struct Answer {
    pub json: Vec<u8>,
    pub refusal: Option<Refusal>,
}

macro_rules! commands {
    (anywhere: $($anywhere:ident),+; on a connection: $($connected:ident),+; themselves: $($own:ident),+) => {
        $(impl Command for $anywhere {})+

        /// Answers a command from a connection.
        pub async fn answer(connection: &mut Connection, command: ReceivedCommand) {
            let ReceivedCommand { name, payload, ack } = command;
            match name.as_str() {
                $(<$anywhere as Ask>::NAME => {
                    let answer = of_connection::<$anywhere>(connection, payload).await;
                    connection.reply(ack, answer);
                })+
                $(<$own as Ask>::NAME => {
                    let answer = of_connection::<$own>(connection, payload).await;
                    connection.reply(ack, answer);
                })+
                $(<$connected as Ask>::NAME => {
                    let answer = of_connection::<$connected>(connection, payload).await;
                    connection.reply(ack, answer);
                })+
                #[cfg(test)]
                "panic" => panic!("on purpose"),
                _ => connection.reply::<()>(ack, Err(unknown(&name))),
            }
        }

        /// Answers a command from an HTTP request.
        pub async fn answer_request(hub: &Hub, caller: &Caller<'_>, name: &str, body: &[u8]) -> Answer {
            match name {
                $(<$anywhere as Ask>::NAME => of_request::<$anywhere>(hub, caller, body).await,)+
                $(<$own as Ask>::NAME => of_request::<$own>(hub, caller, body).await,)+
                $(<$connected as Ask>::NAME => {
                    let sentence = format!("\"{name}\" needs a connection; use Socket.IO");
                    Answer::of::<()>(Err(Refusal::new(ErrorCode::UnknownCommand, sentence)))
                })+
                _ => Answer::of::<()>(Err(unknown(name))),
            }
        }

        /// Calls `to` for each command that an HTTP request may carry.
        pub fn describe(to: &mut impl Describe) {
            $(to.command::<$anywhere>();)+
            $(to.command::<$own>();)+
        }
    };
}

commands! {
    anywhere: ListRooms, CreateRoom, History, Roster, Send, Edit, Delete, React, SetTitle;
    on a connection: Join, Leave, Typing;
    // A connection handles these itself; see their files in `socket`.
    themselves: SignIn
}

/// True if a command stores something in a room's log, so that it matters even if its answer cannot arrive.
pub fn stores(name: &str) -> bool {
    [Send::NAME, Edit::NAME, Delete::NAME, React::NAME, SetTitle::NAME].contains(&name)
}

/// Receives a description of each command.
pub trait Describe {
    /// Called once per command.
    fn command<C: Command + utoipa::ToSchema>(&mut self)
    where
        <C as Ask>::Answer: utoipa::ToSchema;
}

async fn of_connection<C: Command>(
    connection: &mut Connection,
    payload: Payload,
) -> Result<<C as Ask>::Answer, Refusal> {
    let command: C = match (payload, C::bare()) {
        (Ok(json), _) => read(json.get().as_bytes())?,
        // The payload is invalid, but this command needs none.
        (Err(refusal), Some(bare)) if refusal.code == ErrorCode::BadRequest => bare,
        (Err(refusal), _) => return Err(refusal),
    };
    command.on(connection).await
}

async fn of_request<C: Command>(hub: &Hub, caller: &Caller<'_>, body: &[u8]) -> Answer {
    let command: Result<C, Refusal> = match C::bare() {
        Some(bare) if body.is_empty() => Ok(bare),
        _ => read(body),
    };
    let result = match command {
        Ok(command) => hub.ask(caller, command).await.map_err(refuse),
        Err(refusal) => Err(refusal),
    };
    Answer::of(result)
}

impl Answer {
    fn of<T: serde::Serialize>(result: Result<T, Refusal>) -> Self {
        let refusal = result.as_ref().err().cloned();
        match serde_json::to_vec(&Reply::from(result)) {
            Ok(json) => Self { json, refusal },
            Err(error) => {
                tracing::error!(%error, "an answer could not be encoded");
                Self::refuse(Refusal::new(
                    ErrorCode::Internal,
                    "internal error; see the server's log",
                ))
            }
        }
    }

    /// An answer that did not involve the chat.
    pub fn refuse(refusal: Refusal) -> Self {
        let json = serde_json::to_vec(&Reply::<()>::Error(refusal.clone())).unwrap_or_default();
        Self {
            json,
            refusal: Some(refusal),
        }
    }
}

/// Characters of an unknown name that are quoted. No command's name is as long.
const NAME: usize = 64;

fn unknown(name: &str) -> Refusal {
    let name: String = name.chars().take(NAME).collect();
    Refusal::new(
        ErrorCode::UnknownCommand,
        format!("there is no command \"{name}\""),
    )
}
