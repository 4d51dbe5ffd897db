//! `send`: store messages, and prove it.

use protocol::limits::BATCH_MESSAGES;
use protocol::policy::Action;
use protocol::{Outgoing, Receipts, RoomSlug, Send};

use super::Hub;
use crate::caller::Caller;
use crate::door::{Asked, UseCase};
use crate::error::{ChatError, StoreError};
use crate::ports::Cost;

/// A `send` that may be stored: who asks, its size and the rates have been looked at.
pub struct Admitted(Send);

impl Admitted {
    /// Where to.
    pub fn room(&self) -> &RoomSlug {
        &self.0.room
    }

    /// How many messages.
    pub fn len(&self) -> usize {
        self.0.messages.len()
    }

    /// Never: there is one at least.
    pub fn is_empty(&self) -> bool {
        self.0.messages.is_empty()
    }
}

/// Store several commands of one author together, in their order. They are all for one room.
pub struct SendTogether(pub Vec<Admitted>);

impl UseCase for Send {
    type Answer = Receipts;
    const ACTION: Action = Action::Write;

    /// Stores the messages in their order. The receipts are proof that they are durable.
    async fn run(self, asked: Asked<'_>) -> Result<Receipts, ChatError> {
        let Admitted(Self { room, messages }) = admit(asked, self)?;
        let receipts = store(asked, &room, messages).await?;
        Ok(Receipts { receipts })
    }
}

impl UseCase for SendTogether {
    type Answer = Vec<Receipts>;
    const ACTION: Action = Action::Write;

    /// One answer per command. All are stored or none.
    async fn run(self, asked: Asked<'_>) -> Result<Vec<Receipts>, ChatError> {
        let Some(room) = self.0.first().map(|first| first.room().clone()) else {
            return Ok(Vec::new());
        };
        if self.0.iter().any(|send| *send.room() != room) {
            return Err(super::bad_request("these messages are for several rooms"));
        }
        let counts: Vec<_> = self.0.iter().map(Admitted::len).collect();
        let messages = self.0.into_iter().flat_map(|Admitted(send)| send.messages);
        let mut receipts = store(asked, &room, messages.collect()).await?;
        let one = |count: usize| {
            let rest = receipts.split_off(count.min(receipts.len()));
            let receipts = std::mem::replace(&mut receipts, rest);
            Receipts { receipts }
        };
        Ok(counts.into_iter().map(one).collect())
    }
}

impl Hub {
    /// Whether these messages may be sent, before those that are ready are sent [together](SendTogether).
    ///
    /// # Errors
    /// The policy or a rate says no, there are none or too many, or one is too long for this server.
    pub fn admit(&self, caller: &Caller<'_>, send: Send) -> Result<Admitted, ChatError> {
        admit(self.decide(caller, Send::ACTION)?, send)
    }
}

fn admit(asked: Asked<'_>, send: Send) -> Result<Admitted, ChatError> {
    let count = send.messages.len();
    if !(1..=BATCH_MESSAGES).contains(&count) {
        let sentence = format!("send 1 to {BATCH_MESSAGES} messages at a time, not {count}");
        return Err(super::bad_request(sentence));
    }
    let most = asked.hub.message_chars;
    for message in &send.messages {
        let chars = message.text.as_str().chars().count();
        if chars > most {
            let sentence = format!("this message has {chars} characters; the limit is {most}");
            return Err(super::bad_request(sentence));
        }
    }
    let bytes = send
        .messages
        .iter()
        .map(|message| message.text.as_str().len())
        .sum();
    asked.take(Cost::Stored(bytes))?;
    Ok(Admitted(send))
}

async fn store(
    asked: Asked<'_>,
    room: &RoomSlug,
    messages: Vec<Outgoing>,
) -> Result<Vec<protocol::Receipt>, ChatError> {
    let (hub, author) = (asked.hub, asked.caller.you()?);
    match hub.log.append(room, author, messages, hub.clock.now()).await {
        Err(StoreError::NoSuchRoom(missing)) if missing == RoomSlug::lobby() => {
            // The storage was emptied under us. The client sends again in a moment, and then there is a lobby.
            hub.ensure_lobby().await?;
            Err(StoreError::Busy.into())
        }
        result => Ok(result?),
    }
}
