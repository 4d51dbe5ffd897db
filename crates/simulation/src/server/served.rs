//! One connection at its replica.

use std::collections::BTreeMap;
use std::rc::Rc;

use chat::{Caller, ChatError, ClientAddress, ConnectionId, Hub, SendTogether};
use futures::{FutureExt, StreamExt};
use protocol::{
    Deed, Delete, Edit, Epoch, ErrorCode, Joined, Leave, Person, React, Receipt, Receipts, Refusal, RoomSlug,
    SetTitle,
};

use super::Replica;
use super::fanout::Hold;
use crate::link::{Accepted, Answer, Ask, Pipe, Told};

/// The longest that a replica does not notice that a connection has ended, in milliseconds.
const UNNOTICED: u64 = 20_000;

/// One connection at its replica.
pub struct Served {
    replica: Rc<Replica>,
    hub: Hub,
    person: Person,
    number: u128,
    id: ConnectionId,
    down: Pipe<Told>,
    /// The rooms that it is in.
    holds: BTreeMap<RoomSlug, Hold>,
}

impl Served {
    /// A connection that is in no room.
    pub fn new(replica: &Rc<Replica>, hub: Hub, person: Person, accepted: &Accepted) -> Self {
        Self {
            replica: Rc::clone(replica),
            hub,
            person,
            number: accepted.number,
            id: ConnectionId(accepted.number.to_string().into()),
            down: accepted.down.clone(),
            holds: BTreeMap::new(),
        }
    }

    /// Handles one command after another, until the connection ends.
    pub async fn serve(mut self, accepted: Accepted) {
        let mut inbox = accepted.inbox;
        let mut found = None;
        loop {
            let next = match found.take() {
                Some(request) => Some(request),
                None => inbox.next().await,
            };
            let Some((number, ask)) = next else { break };
            match ask {
                Ask::Join(join) => {
                    let answer = self.join(join).await;
                    self.reply(number, answer.map(Answer::Joined));
                }
                Ask::Leave(room) => {
                    if let Some(_hold) = self.holds.remove(&room) {
                        self.exit(room).await;
                    }
                }
                Ask::History(history) => {
                    let stretch = self.hub.ask(&self.caller(), history).await;
                    self.reply(number, stretch.map(Answer::History).map_err(refuse));
                }
                Ask::Send(send) => {
                    let room = send.room.clone();
                    let mut batch = vec![(number, send)];
                    while let Some(Some(next)) = inbox.next().now_or_never() {
                        match next {
                            (number, Ask::Send(send)) if send.room == room => batch.push((number, send)),
                            other => {
                                found = Some(other);
                                break;
                            }
                        }
                    }
                    self.send(room, batch).await;
                }
                Ask::Act(room, epoch, deed) => {
                    let done = if self.replica.world.dice.fault(60) {
                        Err(internal())
                    } else {
                        self.act(&room, epoch, deed).await
                    };
                    let receipts = |receipt| Receipts {
                        receipts: vec![receipt],
                    };
                    self.reply(number, done.map(|receipt| Answer::Sent(room, receipts(receipt))));
                }
            }
        }
        let (time, dice) = (&self.replica.world.time, &self.replica.world.dice);
        if dice.fault(3) {
            time.sleep(dice.between(0..=UNNOTICED)).await;
        }
        for (room, _hold) in std::mem::take(&mut self.holds) {
            self.exit(room).await;
        }
    }

    async fn join(&mut self, join: protocol::Join) -> Result<Joined, Refusal> {
        let dice = &self.replica.world.dice;
        if dice.fault(5) {
            // Many clients join at once.
            let turn = dice.between(1..=5_000);
            return Err(Refusal::new(ErrorCode::Busy, "wait for your turn").retry_after_ms(turn));
        }
        let room = join.room.clone();
        let known = self.holds.contains_key(&room);
        if !known {
            let mut hold = Hold::take(&self.replica, &self.hub, &room).await?;
            hold.hear(self.number, &self.down);
            self.holds.insert(room.clone(), hold);
        }
        let joined = self.hub.ask(&self.caller(), join).await;
        if joined.is_err() && !known {
            self.exit(room.clone()).await;
            self.holds.remove(&room);
        }
        joined.map_err(refuse)
    }

    /// Takes the connection out of a room's presence. If that fails, the process' next round does it.
    async fn exit(&self, room: RoomSlug) {
        let _left = self.hub.ask(&self.caller(), Leave { room }).await;
    }

    /// Stores the messages of several commands together.
    async fn send(&self, room: RoomSlug, batch: Vec<(u32, protocol::Send)>) {
        let numbers: Vec<_> = batch.iter().map(|(number, _)| *number).collect();
        let stored = if self.replica.world.dice.fault(60) {
            Err(internal())
        } else {
            self.store(batch.into_iter().map(|(_, send)| send))
                .await
                .map_err(refuse)
        };
        match stored {
            Ok(receipts) => {
                for (number, receipts) in numbers.into_iter().zip(receipts) {
                    let sent = receipts.map(|receipts| Answer::Sent(room.clone(), receipts));
                    self.reply(number, sent.map_err(refuse));
                }
            }
            Err(refusal) => {
                for number in numbers {
                    self.reply(number, Err(refusal.clone()));
                }
            }
        }
    }

    async fn store(
        &self,
        sends: impl Iterator<Item = protocol::Send>,
    ) -> Result<Vec<Result<Receipts, ChatError>>, ChatError> {
        let caller = self.caller();
        let admitted = sends
            .map(|send| self.hub.admit(&caller, send))
            .collect::<Result<_, _>>()?;
        self.hub.ask(&caller, SendTogether(admitted)).await
    }

    /// Does one deed, by its command.
    async fn act(&self, room: &RoomSlug, epoch: Option<Epoch>, deed: Deed) -> Result<Receipt, Refusal> {
        let (hub, caller, room) = (&self.hub, self.caller(), room.clone());
        let done = match deed {
            Deed::Edited { client_id, of, text } => {
                let edit = Edit {
                    room,
                    client_id,
                    of,
                    epoch,
                    text,
                };
                hub.ask(&caller, edit).await
            }
            Deed::Deleted { client_id, of } => {
                let delete = Delete {
                    room,
                    client_id,
                    of,
                    epoch,
                };
                hub.ask(&caller, delete).await
            }
            Deed::Reacted {
                client_id,
                to,
                emoji,
                on,
            } => {
                let react = React {
                    room,
                    client_id,
                    to,
                    epoch,
                    emoji,
                    on,
                };
                hub.ask(&caller, react).await
            }
            Deed::Titled { client_id, title } => {
                let set_title = SetTitle {
                    room,
                    client_id,
                    title,
                };
                hub.ask(&caller, set_title).await
            }
            Deed::Posted { .. } | Deed::Unknown => {
                return Err(Refusal::new(ErrorCode::UnknownCommand, "no command does this"));
            }
        };
        done.map_err(refuse)
    }

    fn caller(&self) -> Caller<'_> {
        Caller {
            address: ClientAddress::UNKNOWN,
            person: Some(&self.person),
            connection: Some(&self.id),
        }
    }

    /// Sends the answer; some answers get lost.
    fn reply(&self, number: u32, answer: Result<Answer, Refusal>) {
        if !self.replica.world.dice.fault(40) {
            let answer = answer.unwrap_or_else(Answer::Refused);
            self.down.send(Told::Answer(number, Box::new(answer)));
        }
    }
}

/// A fault that an automatic retry does not solve.
fn internal() -> Refusal {
    Refusal::new(ErrorCode::Internal, "a fault of the server")
}

fn refuse(error: ChatError) -> Refusal {
    Refusal::from(&error)
}
