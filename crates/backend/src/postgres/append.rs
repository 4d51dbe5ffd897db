//! An append that waits to be stored, and what becomes of it.

use std::sync::Arc;

use chat::ports::{Guard, NewDeed};
use chat::{Entry, Misfit, StoreError, title_key};
use protocol::{Deed, Person, Receipt, RoomSlug, Seq, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::deeds;

/// Locks the rooms in the order of their ids, so that two replicas never wait for each other.
pub const LOCK: &str = "\
    SELECT slug, epoch, id, head, messages FROM rooms WHERE slug = ANY($1) ORDER BY id FOR NO KEY UPDATE";

/// Deeds of one person for one room, to be stored together.
pub struct Append {
    /// The room's address.
    pub room: RoomSlug,
    /// The person.
    pub by: Person,
    /// The deeds with their JSON.
    pub deeds: Vec<(NewDeed, String)>,
    /// When.
    pub at: Timestamp,
    reply: oneshot::Sender<Result<Vec<Receipt>, StoreError>>,
    /// Its part of the bytes that may wait, given back when it is dropped.
    share: Option<OwnedSemaphorePermit>,
}

/// Where an append's answer arrives.
pub type Answer = oneshot::Receiver<Result<Vec<Receipt>, StoreError>>;

impl Append {
    /// Prepares deeds.
    pub fn new(
        room: RoomSlug,
        by: Person,
        deeds: Vec<NewDeed>,
        at: Timestamp,
    ) -> Result<(Self, Answer), StoreError> {
        let (reply, answer) = oneshot::channel();
        for deed in &deeds {
            deeds::client_id(&deed.deed)?;
        }
        let append = Self {
            room,
            by,
            deeds: deeds::with_json(deeds)?,
            at,
            reply,
            share: None,
        };
        Ok((append, answer))
    }

    /// Takes a share of the bytes that may wait. Returns false if too much waits already.
    pub fn take_share(&mut self, of: &Arc<Semaphore>) -> bool {
        let bytes = u32::try_from(self.bytes()).unwrap_or(u32::MAX);
        self.share = Arc::clone(of).try_acquire_many_owned(bytes).ok();
        self.share.is_some()
    }

    /// About how many bytes it sends to PostgreSQL. A message is stored beside its event.
    pub fn bytes(&self) -> usize {
        self.deeds.iter().map(|(_, json)| 2 * json.len() + 192).sum()
    }

    /// Answers the caller, who may have stopped waiting.
    pub fn answer(self, answer: Result<Vec<Receipt>, StoreError>) {
        let _ = self.reply.send(answer);
    }

    /// True if nobody waits for the answer.
    pub fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }
}

/// What became of an append.
pub enum Outcome {
    /// Where each deed is.
    Stored(Vec<Place>),
    /// A guard does not hold.
    Unfit(Misfit),
    /// There is no such room.
    NoSuchRoom,
    /// This room has the title.
    Titled(RoomSlug),
    /// Something that was stored before cannot be read.
    Damaged,
}

/// Where a deed is.
#[derive(Clone)]
pub struct Place {
    /// Its receipt.
    pub receipt: Receipt,
    /// What was stored the first time, if that was before this attempt.
    pub before: Option<Arc<Entry>>,
}

/// The message that a deed changes or replies to.
pub fn about(new: &NewDeed) -> Option<Seq> {
    new.guard.map(Guard::message).or(new.deed.about())
}

/// The key of the title that a deed gives its room.
pub fn titled(new: &NewDeed) -> Option<String> {
    match &new.deed {
        Deed::Titled { title, .. } => Some(title_key(title)),
        _ => None,
    }
}
