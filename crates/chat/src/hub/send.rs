//! `send`: store messages and return receipts.

use protocol::limits::BATCH_MESSAGES;
use protocol::policy::Action;
use protocol::{Outgoing, Receipts, RoomSlug, Send};

use super::Hub;
use crate::caller::Caller;
use crate::door::{Asked, UseCase};
use crate::error::{ChatError, StoreError};
use crate::ports::Cost;

/// A `send` that has passed the policy, the size limits and the rates.
pub struct Admitted(Send);

impl Admitted {
    /// The room's address.
    pub fn room(&self) -> &RoomSlug {
        &self.0.room
    }

    /// The number of messages.
    pub fn len(&self) -> usize {
        self.0.messages.len()
    }

    /// Always false: there is at least one message.
    pub fn is_empty(&self) -> bool {
        self.0.messages.is_empty()
    }
}

/// Store the messages of several commands together, in their order. All must be by one author and for one room.
pub struct SendTogether(pub Vec<Admitted>);

impl UseCase for Send {
    type Answer = Receipts;
    const ACTION: Action = Action::Write;

    /// Stores the messages in their order. The receipts prove that the messages are durable.
    async fn run(self, asked: Asked<'_>) -> Result<Receipts, ChatError> {
        let Admitted(Self { room, messages }) = admit(asked, self)?;
        let receipts = store(asked, &room, messages).await?;
        Ok(Receipts { receipts })
    }
}

impl UseCase for SendTogether {
    type Answer = Vec<Receipts>;
    const ACTION: Action = Action::Write;

    /// Returns one answer per command. Either all messages are stored or none.
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
    /// Checks that these messages may be sent. Send admitted messages [together](SendTogether).
    ///
    /// # Errors
    /// The policy or a rate refuses them, there are none or too many, or one is too long for this server.
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
    let (hub, author) = (asked.hub, asked.caller.signed_in()?);
    match hub.log.append(room, author, messages, hub.clock.now()).await {
        Err(StoreError::NoSuchRoom(missing)) if missing == RoomSlug::lobby() => {
            // The storage was emptied. The client tries again in a moment; then the lobby exists.
            hub.ensure_lobby().await?;
            Err(StoreError::Busy.into())
        }
        result => Ok(result?),
    }
}
