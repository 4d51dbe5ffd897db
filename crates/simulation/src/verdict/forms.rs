//! Whether everybody, and the truth itself, shows each message as the log says. The log is folded here once more, event
//! by event.

use std::collections::BTreeMap;
use std::sync::Arc;

use chat::Entry;
use protocol::{Deed, Epoch, LogEvent, Message, MessageText, RoomSlug, RoomTitle, Seq};

use crate::client::Moment;

/// What every log says.
pub struct Forms<'a>(BTreeMap<(&'a RoomSlug, &'a Epoch), Said<'a>>);

#[derive(Default)]
struct Said<'a> {
    posted: BTreeMap<Seq, &'a LogEvent>,
    /// The events about each message, in order.
    later: BTreeMap<Seq, Vec<&'a LogEvent>>,
    title: Option<&'a RoomTitle>,
}

impl Said<'_> {
    /// The message as it was when this was the log's latest event.
    fn message(&self, seq: Seq, at: Seq) -> Option<Message> {
        let mut message = Message::posted(self.posted.get(&seq).filter(|_| seq <= at)?)?;
        let later = self.later.get(&seq).into_iter().flatten();
        for event in later.filter(|event| event.seq <= at) {
            message.apply(event);
        }
        Some(message)
    }

    /// True if the message is deleted in the end.
    fn is_deleted(&self, seq: Seq) -> bool {
        let later = self.later.get(&seq);
        later.is_some_and(|later| {
            later
                .iter()
                .any(|event| matches!(event.deed, Deed::Deleted { .. }))
        })
    }
}

fn without_text(message: Message) -> Message {
    Message {
        text: MessageText::kept(String::new()),
        ..message
    }
}

impl<'a> Forms<'a> {
    /// Takes the events of all logs, each log in order.
    pub fn new(entries: &'a [Arc<Entry>]) -> Self {
        let mut logs = BTreeMap::<_, Said<'a>>::new();
        for event in entries.iter().map(|entry| &entry.event) {
            let log = logs.entry((&event.room, &event.epoch)).or_default();
            match &event.deed {
                Deed::Posted { .. } => {
                    log.posted.insert(event.seq, event);
                }
                Deed::Titled { title, .. } => log.title = Some(title),
                deed => {
                    let about = deed.about().unwrap_or(Seq::ZERO);
                    log.later.entry(about).or_default().push(event);
                }
            }
        }
        Self(logs)
    }

    /// Says what is wrong with what was shown. Messages of an older page may be ahead of the position.
    pub fn judge(&self, who: &str, room: &RoomSlug, shown: &Moment) -> Vec<String> {
        let Some(first) = shown.messages.first() else {
            return Vec::new();
        };
        let head = shown.position.seq;
        let Some(log) = self.0.get(&(room, &shown.position.epoch)) else {
            return vec![format!("{who} is shown messages of a log that there never was")];
        };
        let right = |message: &Message| {
            let mut says = log.message(message.seq, head.max(message.rev));
            // Whoever reads the events later than the deletion no longer gets the texts before it.
            if message.text.as_str().is_empty() && log.is_deleted(message.seq) {
                says = says.map(without_text);
            }
            (says.as_ref() != Some(message))
                .then(|| format!("{who} is shown {message:?}, where the log says {says:?}"))
        };
        let mut wrong: Vec<_> = shown.messages.iter().filter_map(right).collect();
        let there = |seq: &&Seq| shown.messages.binary_search_by_key(*seq, |one| one.seq).is_err();
        let missing: Vec<_> = log
            .posted
            .range(first.seq..=head)
            .map(|(seq, _)| seq)
            .filter(there)
            .collect();
        if !missing.is_empty() {
            wrong.push(format!("{who} is not shown {missing:?}"));
        }
        wrong
    }

    /// Says whether this is the room's title at the end.
    pub fn judge_title(&self, who: &str, room: &RoomSlug, shown: &Moment) -> Option<String> {
        let log = self.0.get(&(room, &shown.position.epoch));
        let title = log.and_then(|log| log.title)?;
        let wrong = *title != shown.title;
        wrong.then(|| {
            format!(
                "{who} is shown the title {}, where the log says {title}",
                shown.title
            )
        })
    }
}
