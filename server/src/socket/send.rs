//! `send`: store messages, and prove it.

use std::time::Instant;

use protocol::{Outgoing, Receipt, Receipts, Refusal, RoomSlug, Send};

use super::ack::Ack;
use super::connection::{Connection, parse, refuse};
use super::inbox::{Payload, Queued};
use super::line::Line;

/// Messages that are stored together at most, of however many commands.
const TOGETHER: usize = 1_000;

/// Takes up one `send` and those for the same room that wait right behind it: they are stored together, in their
/// order. Returns the command that was found behind them, if one was.
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

fn read(connection: &mut Connection, payload: Payload) -> Result<Send, Refusal> {
    connection.you()?;
    let send: Send = parse(payload)?;
    connection.state.hub.admits(&send.messages).map_err(refuse)?;
    let bytes = send
        .messages
        .iter()
        .map(|message| message.text.as_str().len())
        .sum();
    connection.may_store(bytes)?;
    Ok(send)
}

/// Several `send` commands for one room.
struct Batch {
    room: RoomSlug,
    messages: Vec<Outgoing>,
    acks: Vec<(Ack, usize)>,
}

impl Batch {
    fn new(send: Send, ack: Ack) -> Self {
        Self {
            room: send.room,
            acks: vec![(ack, send.messages.len())],
            messages: send.messages,
        }
    }

    fn fits(&self, send: &Send) -> bool {
        self.room == send.room && self.messages.len() + send.messages.len() <= TOGETHER
    }

    fn add(&mut self, send: Send, ack: Ack) {
        self.acks.push((ack, send.messages.len()));
        self.messages.extend(send.messages);
    }

    async fn store(self, connection: &Connection) {
        let Self { room, messages, acks } = self;
        let you = match connection.you() {
            Ok(you) => you,
            // The session has ended since the commands were read.
            Err(refusal) => {
                for (ack, _) in acks {
                    connection.reply::<()>(ack, Err(refusal.clone()));
                }
                return;
            }
        };
        let started = Instant::now();
        let stored = connection.state.hub.send_all(you, &room, messages).await;
        let metrics = &connection.state.metrics;
        metrics.append.observe(started.elapsed().as_secs_f64());
        match stored {
            Ok(receipts) => {
                metrics.stored.inc_by(receipts.len() as u64);
                let mut receipts: Vec<Receipt> = receipts;
                for (ack, count) in acks {
                    let rest = receipts.split_off(count.min(receipts.len()));
                    let own = std::mem::replace(&mut receipts, rest);
                    connection.reply(ack, Ok(Receipts { receipts: own }));
                }
            }
            Err(error) => {
                let refusal = refuse(error);
                for (ack, _) in acks {
                    connection.reply::<()>(ack, Err(refusal.clone()));
                }
            }
        }
    }
}
