//! A message as it is now: a posted event with every later event about it folded in.

use serde::{Deserialize, Serialize};

use crate::ids::{ClientId, PersonId, Seq, Timestamp};
use crate::limits::{REACTION_EMOJI, REACTIONS};
use crate::log::{Deed, LogEvent, json_bytes};
use crate::text::{Emoji, MessageText, kept};

/// A message in its current form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Message {
    /// The `seq` of the event that posted it. It identifies the message in its room.
    pub seq: Seq,
    /// The `seq` of the last event folded in. An event up to there changes nothing.
    pub rev: Seq,
    /// When it was posted, by the server's clock. For display only.
    pub at: Timestamp,
    /// Its author.
    pub by: PersonId,
    /// The id that the author's client chose.
    pub client_id: ClientId,
    /// Its text. Empty if it was deleted.
    #[serde(deserialize_with = "kept")]
    pub text: MessageText,
    /// The message that it replies to, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Seq>,
    /// When it was last edited, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    /// True if it was deleted.
    #[serde(default, skip_serializing_if = "is_false")]
    pub deleted: bool,
    /// The reactions, in the order in which each emoji first came. At most 20 emoji, and 500 reactions in all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<Reaction>,
}

/// The people who reacted with an emoji.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Reaction {
    /// The emoji.
    #[serde(deserialize_with = "kept")]
    pub emoji: Emoji,
    /// The people, in the order in which they reacted. Never empty.
    pub by: Vec<PersonId>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// Most bytes of a message's field names, punctuation and numbers.
const ENVELOPE: usize = 200;

impl Message {
    /// The message that an event posted. `None` if it posted none.
    pub fn posted(event: &LogEvent) -> Option<Self> {
        let Deed::Posted {
            client_id,
            text,
            reply_to,
        } = &event.deed
        else {
            return None;
        };
        Some(Self {
            seq: event.seq,
            rev: event.seq,
            at: event.at,
            by: event.by.clone(),
            client_id: client_id.clone(),
            text: text.clone(),
            reply_to: *reply_to,
            edited_at: None,
            deleted: false,
            reactions: Vec::new(),
        })
    }

    /// Folds a later event in. Returns true if it is about this message and was not folded in before. This is the only
    /// place that says what an event does to a message: storage and browser use it.
    pub fn apply(&mut self, event: &LogEvent) -> bool {
        let news = event.deed.about() == Some(self.seq) && event.seq > self.rev;
        if news {
            self.rev = event.seq;
            self.change(&event.deed, event.at, &event.by);
        }
        news
    }

    /// Changes the message as a deed about it does, stored or not. A deleted message does not change any more.
    pub fn change(&mut self, deed: &Deed, at: Timestamp, by: &PersonId) {
        match deed {
            _ if self.deleted => {}
            Deed::Edited { text, .. } => {
                self.text = text.clone();
                self.edited_at = Some(at);
            }
            Deed::Deleted { .. } => {
                self.deleted = true;
                self.text = MessageText::kept(String::new());
                self.reactions = Vec::new();
            }
            Deed::Reacted { emoji, on: true, .. } => self.react(emoji, by),
            Deed::Reacted { emoji, on: false, .. } => {
                for reaction in &mut self.reactions {
                    if reaction.emoji == *emoji {
                        reaction.by.retain(|one| one != by);
                    }
                }
                self.reactions.retain(|reaction| !reaction.by.is_empty());
            }
            Deed::Posted { .. } | Deed::Titled { .. } | Deed::Unknown => {}
        }
    }

    /// Adds a reaction if there is room for it. A person can use each emoji once.
    fn react(&mut self, emoji: &Emoji, by: &PersonId) {
        if !self.takes(emoji, by) {
            return;
        }
        match self.reactions.iter_mut().find(|known| known.emoji == *emoji) {
            Some(known) if known.by.contains(by) => {}
            Some(known) => known.by.push(by.clone()),
            None => self.reactions.push(Reaction {
                emoji: emoji.clone(),
                by: vec![by.clone()],
            }),
        }
    }

    /// True if this person has reacted with this emoji, or there is room for it.
    pub fn takes(&self, emoji: &Emoji, by: &PersonId) -> bool {
        let total: usize = self.reactions.iter().map(|known| known.by.len()).sum();
        match self.reactions.iter().find(|known| known.emoji == *emoji) {
            Some(known) => total < REACTIONS || known.by.contains(by),
            None => total < REACTIONS && self.reactions.len() < REACTION_EMOJI,
        }
    }

    /// True if it names this person.
    pub fn names(&self, id: &PersonId) -> bool {
        self.by == *id || self.reactions.iter().any(|known| known.by.contains(id))
    }

    /// An upper bound of its size as JSON, in bytes. Without reactions, at most 140 bytes too high.
    pub fn bytes(&self) -> usize {
        let ids = self.by.as_str().len() + self.client_id.as_str().len();
        let person = |id: &PersonId| id.as_str().len() + 3;
        let reaction =
            |one: &Reaction| 24 + one.emoji.as_str().len() + one.by.iter().map(person).sum::<usize>();
        let reactions: usize = self.reactions.iter().map(reaction).sum();
        ENVELOPE + ids + json_bytes(self.text.as_str()) + reactions
    }
}

#[cfg(test)]
mod tests;
