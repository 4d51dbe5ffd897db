//! `send`: store messages and return receipts.

use protocol::limits::BATCH_MESSAGES;
use protocol::policy::Action;
use protocol::{Deed, MessageText, Outgoing, Receipt, Receipts, RoomSlug, Send};

use super::Hub;
use crate::caller::Caller;
use crate::door::{Asked, UseCase};
use crate::error::{ChatError, StoreError};
use crate::ports::{Cost, Guard, NewDeed};

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
        let receipts = store(asked, &room, posted(messages)).await?;
        Ok(Receipts { receipts })
    }
}

impl UseCase for SendTogether {
    type Answer = Vec<Result<Receipts, ChatError>>;
    const ACTION: Action = Action::Write;

    /// Returns one answer per command. All are stored together, unless one does not fit its room; then each is stored
    /// by itself, so that one author's mistake does not refuse the others.
    async fn run(self, asked: Asked<'_>) -> Result<Self::Answer, ChatError> {
        let Some(room) = self.0.first().map(|first| first.room().clone()) else {
            return Ok(Vec::new());
        };
        if self.0.iter().any(|send| *send.room() != room) {
            return Err(super::bad_request("these messages are for several rooms"));
        }
        let counts: Vec<_> = self.0.iter().map(Admitted::len).collect();
        let sends: Vec<_> = self
            .0
            .into_iter()
            .map(|Admitted(send)| posted(send.messages))
            .collect();
        let guarded = sends.iter().flatten().any(|deed| deed.guard.is_some());
        let apart = if guarded && sends.len() > 1 {
            sends.clone()
        } else {
            Vec::new()
        };
        let mut receipts = match store(asked, &room, sends.into_iter().flatten().collect()).await {
            Ok(receipts) => receipts,
            Err(ChatError::Store(StoreError::Unfit(_))) if !apart.is_empty() => {
                return Ok(store_apart(asked, &room, apart).await);
            }
            Err(error) => return Err(error),
        };
        let one = |count: usize| {
            let rest = receipts.split_off(count.min(receipts.len()));
            let receipts = std::mem::replace(&mut receipts, rest);
            Ok(Receipts { receipts })
        };
        Ok(counts.into_iter().map(one).collect())
    }
}

/// Stores each `send` by itself. If one fails, those after it are not tried: a later message is never stored before an
/// earlier one that its author sends again.
async fn store_apart(
    asked: Asked<'_>,
    room: &RoomSlug,
    sends: Vec<Vec<NewDeed>>,
) -> Vec<Result<Receipts, ChatError>> {
    let mut answers = Vec::with_capacity(sends.len());
    let mut failed = false;
    for send in sends {
        let stored = if failed {
            Err(StoreError::Busy.into())
        } else {
            store(asked, room, send).await
        };
        failed |= matches!(&stored, Err(error) if !matches!(error, ChatError::Store(StoreError::Unfit(_))));
        answers.push(stored.map(|receipts| Receipts { receipts }));
    }
    answers
}

/// Messages as deeds.
fn posted(messages: Vec<Outgoing>) -> Vec<NewDeed> {
    let deed = |message: Outgoing| NewDeed {
        // A reply to a message that was deleted meanwhile is not lost.
        guard: message.reply_to.map(Guard::Exists),
        epoch: message.epoch,
        deed: Deed::Posted {
            client_id: message.client_id,
            text: message.text,
            reply_to: message.reply_to,
        },
    };
    messages.into_iter().map(deed).collect()
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
    for message in &send.messages {
        asked.hub.check_length(&message.text)?;
    }
    let texts = send.messages.iter().map(|message| message.text.as_str().len());
    asked.take(Cost::Stored(texts.sum()))?;
    Ok(Admitted(send))
}

impl Hub {
    /// Refuses a text that is too long for this server.
    pub(super) fn check_length(&self, text: &MessageText) -> Result<(), ChatError> {
        let (chars, most) = (text.as_str().chars().count(), self.message_chars);
        if chars > most {
            let sentence = format!("this message has {chars} characters; the limit is {most}");
            return Err(super::bad_request(sentence));
        }
        Ok(())
    }
}

/// Stores a deed of the caller.
pub(super) async fn store_one(
    asked: Asked<'_>,
    room: &RoomSlug,
    deed: NewDeed,
) -> Result<Receipt, ChatError> {
    let receipts = store(asked, room, vec![deed]).await?;
    let none = || ChatError::Store(StoreError::failed("the storage returned no receipt"));
    receipts.into_iter().next().ok_or_else(none)
}

async fn store(asked: Asked<'_>, room: &RoomSlug, deeds: Vec<NewDeed>) -> Result<Vec<Receipt>, ChatError> {
    let (hub, by) = (asked.hub, asked.caller.signed_in()?);
    match hub.log.append(room, by, deeds, hub.clock.now()).await {
        Err(StoreError::NoSuchRoom(missing)) if missing == RoomSlug::lobby() => {
            // The storage was emptied. The client tries again in a moment; then the lobby exists.
            hub.ensure_lobby().await?;
            Err(StoreError::Busy.into())
        }
        result => Ok(result?),
    }
}
