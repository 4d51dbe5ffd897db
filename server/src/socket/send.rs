//! `send`: store messages and answer with receipts.

use chat::{Admitted, SendTogether};
use protocol::Refusal;

use super::ack::Ack;
use super::connection::Connection;
use super::line::Line;
use super::queued::{Payload, Queued};
use crate::refusals::{read as command, refuse};

/// The most messages that are stored together, from any number of commands.
const TOGETHER: usize = 1_000;

/// Handles one `send` and those for the same room right behind it in the line: they are stored together, in order.
/// Returns the next command of another kind, if it took one from the line.
pub async fn handle(connection: &mut Connection, first: Queued, line: &Line<Connection>) -> Option<Queued> {
    let mut batch: Option<Batch> = None;
    let mut next = Some(first);
    let mut found = None;
    while let Some(queued) = next.take() {
        if queued.command.name != "send" {
            found = Some(queued);
            break;
        }
        let command = queued.command;
        match read(connection, command.payload) {
            Ok(send) if batch.as_ref().is_some_and(|batch| !batch.fits(&send)) => {
                if let Some(full) = batch.take() {
                    full.store(connection).await;
                }
                batch = Some(Batch::new(send, command.ack));
            }
            Ok(send) => match &mut batch {
                Some(batch) => batch.add(send, command.ack),
                None => batch = Some(Batch::new(send, command.ack)),
            },
            Err(refusal) => connection.reply::<()>(command.ack, Err(refusal)),
        }
        next = line.next();
    }
    if let Some(batch) = batch {
        batch.store(connection).await;
    }
    found
}

fn read(connection: &mut Connection, payload: Payload) -> Result<Admitted, Refusal> {
    connection.admit(command(payload?.get().as_bytes())?)
}

/// Several `send` commands for one room.
struct Batch {
    sends: Vec<Admitted>,
    acks: Vec<Ack>,
    messages: usize,
}

impl Batch {
    fn new(send: Admitted, ack: Ack) -> Self {
        Self {
            messages: send.len(),
            sends: vec![send],
            acks: vec![ack],
        }
    }

    fn fits(&self, send: &Admitted) -> bool {
        let room = self.sends.first().map(Admitted::room);
        room == Some(send.room()) && self.messages + send.len() <= TOGETHER
    }

    fn add(&mut self, send: Admitted, ack: Ack) {
        self.messages += send.len();
        self.sends.push(send);
        self.acks.push(ack);
    }

    async fn store(self, connection: &Connection) {
        match connection.ask(SendTogether(self.sends)).await {
            Ok(receipts) => {
                for (ack, receipts) in self.acks.into_iter().zip(receipts) {
                    connection.reply(ack, receipts.map_err(refuse));
                }
            }
            Err(refusal) => {
                for ack in self.acks {
                    connection.reply::<()>(ack, Err(refusal.clone()));
                }
            }
        }
    }
}
