//! The rooms of a batch while its deeds are folded in: what is true now, and what changes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chat::ports::NewDeed;
use chat::{Entry, Misfit};
use protocol::{ClientId, Deed, Epoch, LogEvent, Message, PersonId, Receipt, RoomSlug, Seq, limits};
use tokio_postgres::Row;

use super::append::{Append, Outcome, Place, about, titled};
use super::connection::{Connection, Values};
use super::error::Fault;
use super::row;
use crate::numbers;

/// Stores everything that changes.
const WRITE: &str = "\
    WITH stored AS (
        INSERT INTO events (room_id, seq, at, author_id, client_id, body, edits)
        SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[],
            $28::bigint[])
    ), named AS (
        INSERT INTO people (id, name, created_at, wrote)
        SELECT id, name, at, true FROM unnest($7::text[], $8::text[], $9::bigint[]) AS person (id, name, at)
        WHERE NOT EXISTS (SELECT 1 FROM people WHERE people.id = person.id AND wrote)
        ORDER BY id ON CONFLICT (id) DO UPDATE SET wrote = true
    ), folded AS (
        INSERT INTO messages (room_id, seq, number, rev, at, author_id, client_id, text, reply_to, edited_at, deleted,
            reactions)
        SELECT * FROM unnest($10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::text[],
            $16::text[], $17::text[], $18::bigint[], $19::bigint[], $20::boolean[], $21::text[])
        ON CONFLICT (room_id, seq) DO UPDATE SET rev = excluded.rev,
            text = CASE WHEN messages.text = excluded.text THEN messages.text ELSE excluded.text END,
            edited_at = excluded.edited_at, deleted = excluded.deleted, reactions = excluded.reactions
    )
    UPDATE rooms SET head = moved.head, last_at = moved.at, messages = moved.messages,
        title = coalesce(moved.title, rooms.title), title_key = coalesce(moved.title_key, rooms.title_key)
    FROM unnest($22::bigint[], $23::bigint[], $24::bigint[], $25::bigint[], $26::text[], $27::text[])
        AS moved (id, head, at, messages, title, title_key)
    WHERE rooms.id = moved.id";

/// Removes the texts of deleted messages from the events that posted them. Makes the JSON of [`Deed::Posted`].
const EMPTY_POSTED: &str = "\
    UPDATE events SET body = json_strip_nulls(json_build_object(
        'type', 'posted', 'client_id', client_id, 'text', '', 'reply_to', deleted.reply_to
    ))::text
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS deleted (room_id, seq, reply_to)
    WHERE events.room_id = deleted.room_id AND events.seq = deleted.seq";

/// Removes the texts of deleted messages from the events that edited them. Makes the JSON of [`Deed::Edited`].
const EMPTY_EDITED: &str = "\
    UPDATE events SET body = json_build_object('type', 'edited', 'client_id', client_id, 'of', edits, 'text', '')::text
    FROM unnest($1::bigint[], $2::bigint[]) AS deleted (room_id, seq)
    WHERE events.room_id = deleted.room_id AND events.edits = deleted.seq AND events.edits IS NOT NULL";

/// The event of a deed that is stored at this place.
pub fn entry(append: &Append, deed: &Deed, receipt: &Receipt) -> Entry {
    Entry {
        event: LogEvent {
            room: append.room.clone(),
            epoch: receipt.epoch.clone(),
            seq: receipt.seq,
            at: append.at,
            by: append.by.id.clone(),
            deed: deed.clone(),
        },
        by: append.by.clone(),
    }
}

/// A room as it is now.
#[derive(Clone)]
struct Room {
    id: i64,
    /// `None`: it cannot be read.
    epoch: Option<Epoch>,
    head: Seq,
    messages: i64,
}

/// Who stored what once: room, person and client id.
type Once = (RoomSlug, PersonId, ClientId);

/// What a batch's deeds are about.
#[derive(Default)]
pub struct Rooms {
    rooms: HashMap<RoomSlug, Room>,
    /// `None`: it cannot be read.
    known: HashMap<Once, Option<Place>>,
    messages: HashMap<(RoomSlug, Seq), (i64, Message)>,
    /// How often these messages were edited.
    edits: HashMap<(RoomSlug, Seq), i64>,
    /// The rooms that have the titles with these keys.
    titles: HashMap<String, RoomSlug>,
    /// What is to be written.
    pub changes: Changes,
}

/// What is to be written.
#[derive(Clone, Default)]
pub struct Changes {
    events: Vec<Event>,
    people: BTreeMap<String, (String, i64)>,
    messages: BTreeMap<(i64, i64), (i64, Message)>,
    rooms: BTreeMap<i64, Moved>,
}

#[derive(Clone)]
struct Event {
    room: i64,
    seq: i64,
    at: i64,
    author: PersonId,
    client_id: ClientId,
    body: String,
    edits: Option<i64>,
}

#[derive(Clone, Default)]
struct Moved {
    head: i64,
    at: i64,
    messages: i64,
    /// The new title and its key.
    title: Option<(String, String)>,
}

impl Rooms {
    /// A room that is locked, from the columns slug, epoch, id, head and messages. What cannot be read fails the
    /// appends that need it, and no others.
    pub fn room(&mut self, row: &Row) -> Result<(), Fault> {
        let head = numbers::seq(row.try_get(3)?).ok();
        if let (Ok(slug), Some(head)) = (row::parsed(row, 0), head) {
            let room = Room {
                id: row.try_get(2)?,
                epoch: row::parsed(row, 1).ok(),
                head,
                messages: row.try_get(4)?,
            };
            self.rooms.insert(slug, room);
        }
        Ok(())
    }

    /// A message as it is now, with its number, and how often it was edited.
    pub fn message(&mut self, room: &RoomSlug, (number, message): (i64, Message), edits: i64) {
        let key = (room.clone(), message.seq);
        self.edits.insert(key.clone(), edits);
        self.messages.insert(key, (number, message));
    }

    /// A room that has the title with this key.
    pub fn titled(&mut self, key: String, room: RoomSlug) {
        self.titles.insert(key, room);
    }

    /// A deed that was stored before, from the columns that follow the first: seq, at, `author_id`, the author's name and
    /// body. What cannot be read fails the appends that need it.
    pub fn known(&mut self, append: &Append, new: &NewDeed, row: &Row) {
        let epoch = self.rooms.get(&append.room).and_then(|room| room.epoch.clone());
        if let (Some(client_id), Some(epoch)) = (new.deed.client_id(), epoch) {
            let once = (append.room.clone(), append.by.id.clone(), client_id.clone());
            let place = row::entry(row, 1, &append.room, &epoch).ok().map(|entry| Place {
                receipt: Receipt {
                    client_id: client_id.clone(),
                    epoch,
                    seq: entry.event.seq,
                },
                before: Some(Arc::new(entry)),
            });
            self.known.insert(once, place);
        }
    }

    /// Folds an append in, or leaves everything as it is.
    pub fn append(&mut self, append: &Append) -> Outcome {
        let Some(room) = self.rooms.get(&append.room).cloned() else {
            return Outcome::NoSuchRoom;
        };
        let Some(epoch) = room.epoch.clone() else {
            return Outcome::Damaged;
        };
        let mut undo = Undo {
            moved: self.changes.rooms.get(&room.id).cloned(),
            events: self.changes.events.len(),
            known: Vec::new(),
            messages: Vec::new(),
            titles: None,
            room,
        };
        let mut places = Vec::with_capacity(append.deeds.len());
        for (new, json) in &append.deeds {
            match self.deed(append, new, json, &epoch, &mut undo) {
                Ok(place) => places.push(place),
                Err(outcome) => {
                    self.undo(append, undo);
                    return outcome;
                }
            }
        }
        Outcome::Stored(places)
    }

    fn deed(
        &mut self,
        append: &Append,
        new: &NewDeed,
        json: &str,
        epoch: &Epoch,
        undo: &mut Undo,
    ) -> Result<Place, Outcome> {
        let client_id = new.deed.client_id().ok_or(Outcome::NoSuchRoom)?.clone();
        let once = (append.room.clone(), append.by.id.clone(), client_id.clone());
        if let Some(place) = self.known.get(&once) {
            return place.clone().ok_or(Outcome::Damaged);
        }
        let key = about(new).map(|seq| (append.room.clone(), seq));
        let message = key.as_ref().and_then(|key| self.messages.get(key));
        new.check(&append.by.id, epoch, message.map(|(_, message)| message))
            .map_err(Outcome::Unfit)?;
        let title_key = titled(new);
        if let Some(other) = title_key.as_ref().and_then(|key| self.titles.get(key))
            && *other != append.room
        {
            return Err(Outcome::Titled(other.clone()));
        }
        if let Some(of) = new.deed.edits() {
            let edits = self.edits.entry((append.room.clone(), of)).or_default();
            if *edits >= limits::EDITS.into() {
                return Err(Outcome::Unfit(Misfit::Edited));
            }
            // Stays if the append turns out not to fit: then the limit is reached a little early, in this batch alone.
            *edits += 1;
        }
        let room = self.rooms.get_mut(&append.room).ok_or(Outcome::NoSuchRoom)?;
        room.head = room.head.next();
        let receipt = Receipt {
            client_id: client_id.clone(),
            epoch: epoch.clone(),
            seq: room.head,
        };
        let event = entry(append, &new.deed, &receipt).event;
        let moved = self.changes.rooms.entry(room.id).or_default();
        let number = |seq: Seq| i64::try_from(seq.get()).unwrap_or(i64::MAX);
        let at = i64::try_from(append.at.0).unwrap_or(i64::MAX);
        (moved.head, moved.at) = (number(room.head), at);
        let mut changed = None;
        if let Some(posted) = Message::posted(&event) {
            room.messages += 1;
            changed = Some((room.messages, posted));
        } else if let Some((number, mut message)) = message.cloned()
            && message.apply(&event)
        {
            changed = Some((number, message));
        } else if let Deed::Titled { title, .. } = &new.deed {
            let key = title_key.unwrap_or_default();
            undo.titles.get_or_insert_with(|| self.titles.clone());
            // It no longer has its former title.
            self.titles.retain(|_, room| *room != append.room);
            self.titles.insert(key.clone(), append.room.clone());
            moved.title = Some((title.to_string(), key));
        }
        moved.messages = room.messages;
        if let Some((of, message)) = changed {
            let key = (append.room.clone(), message.seq);
            let row = (room.id, number(message.seq));
            let change = self.changes.messages.insert(row, (of, message.clone()));
            let message = self.messages.insert(key.clone(), (of, message));
            undo.messages.push(Replaced {
                key,
                message,
                row,
                change,
            });
        }
        self.changes.events.push(Event {
            room: room.id,
            seq: number(receipt.seq),
            at,
            author: append.by.id.clone(),
            client_id,
            body: json.to_owned(),
            edits: new.deed.edits().map(number),
        });
        let person = self.changes.people.entry(append.by.id.to_string());
        person.or_insert_with(|| (append.by.name.to_string(), at));
        let place = Place {
            receipt,
            before: None,
        };
        self.known.insert(once.clone(), Some(place.clone()));
        undo.known.push(once);
        Ok(place)
    }

    fn undo(&mut self, append: &Append, undo: Undo) {
        for once in undo.known {
            self.known.remove(&once);
        }
        for replaced in undo.messages.into_iter().rev() {
            match replaced.message {
                Some(message) => self.messages.insert(replaced.key, message),
                None => self.messages.remove(&replaced.key),
            };
            match replaced.change {
                Some(change) => self.changes.messages.insert(replaced.row, change),
                None => self.changes.messages.remove(&replaced.row),
            };
        }
        if let Some(titles) = undo.titles {
            self.titles = titles;
        }
        self.changes.events.truncate(undo.events);
        match undo.moved {
            Some(moved) => self.changes.rooms.insert(undo.room.id, moved),
            None => self.changes.rooms.remove(&undo.room.id),
        };
        // Nobody is said to have written who has not.
        let wrote = self
            .changes
            .events
            .iter()
            .any(|event| event.author == append.by.id);
        if !wrote {
            self.changes.people.remove(append.by.id.as_str());
        }
        self.rooms.insert(append.room.clone(), undo.room);
    }
}

type Numbered = (i64, Message);

/// What an append changed, in case it does not fit.
struct Undo {
    room: Room,
    moved: Option<Moved>,
    events: usize,
    known: Vec<Once>,
    titles: Option<HashMap<String, RoomSlug>>,
    messages: Vec<Replaced>,
}

/// A message that was folded: what there was, and what was to be written.
struct Replaced {
    key: (RoomSlug, Seq),
    message: Option<Numbered>,
    row: (i64, i64),
    change: Option<Numbered>,
}

impl Changes {
    /// Writes everything and commits.
    pub async fn write(&self, connection: &Connection) -> Result<(), Fault> {
        let Self {
            events,
            people,
            messages,
            rooms,
        } = self;
        let time = |at: protocol::Timestamp| i64::try_from(at.0).unwrap_or(i64::MAX);
        let number = |seq: Seq| i64::try_from(seq.get()).unwrap_or(i64::MAX);
        macro_rules! column {
            ($rows:expr, |$row:pat_param| $value:expr) => {
                $rows.iter().map(|$row| $value).collect::<Vec<_>>()
            };
        }
        let reactions = |message: &Message| {
            let json = || serde_json::to_string(&message.reactions).ok();
            (!message.reactions.is_empty()).then(json).flatten()
        };
        let deleted = || messages.iter().filter(|(_, (_, message))| message.deleted);
        let deleted_rooms: Vec<_> = deleted().map(|((room, _), _)| *room).collect();
        let deleted_seqs: Vec<_> = deleted().map(|((_, seq), _)| *seq).collect();
        let replies: Vec<_> = deleted()
            .map(|(_, (_, message))| message.reply_to.map(number))
            .collect();
        let changes: Values<'_> = &[
            &column!(events, |event| event.room),
            &column!(events, |event| event.seq),
            &column!(events, |event| event.at),
            &column!(events, |event| event.author.as_str()),
            &column!(events, |event| event.client_id.as_str()),
            &column!(events, |event| event.body.as_str()),
            &column!(people, |(id, _)| id.as_str()),
            &column!(people, |(_, (name, _))| name.as_str()),
            &column!(people, |(_, (_, at))| *at),
            &column!(messages, |((room, _), _)| *room),
            &column!(messages, |((_, seq), _)| *seq),
            &column!(messages, |(_, (number, _))| *number),
            &column!(messages, |(_, (_, message))| number(message.rev)),
            &column!(messages, |(_, (_, message))| time(message.at)),
            &column!(messages, |(_, (_, message))| message.by.as_str()),
            &column!(messages, |(_, (_, message))| message.client_id.as_str()),
            &column!(messages, |(_, (_, message))| message.text.as_str()),
            &column!(messages, |(_, (_, message))| message.reply_to.map(number)),
            &column!(messages, |(_, (_, message))| message.edited_at.map(time)),
            &column!(messages, |(_, (_, message))| message.deleted),
            &column!(messages, |(_, (_, message))| reactions(message)),
            &column!(rooms, |(id, _)| *id),
            &column!(rooms, |(_, moved)| moved.head),
            &column!(rooms, |(_, moved)| moved.at),
            &column!(rooms, |(_, moved)| moved.messages),
            &column!(rooms, |(_, moved)| moved
                .title
                .as_ref()
                .map(|(title, _)| title.as_str())),
            &column!(rooms, |(_, moved)| moved
                .title
                .as_ref()
                .map(|(_, key)| key.as_str())),
            &column!(events, |event| event.edits),
        ];
        let write: [(_, Values<'_>); 3] = [
            (WRITE, changes),
            (EMPTY_POSTED, &[&deleted_rooms, &deleted_seqs, &replies]),
            (EMPTY_EDITED, &[&deleted_rooms, &deleted_seqs]),
        ];
        let statements = if deleted_rooms.is_empty() { 1 } else { 3 };
        connection.commit(&write[..statements]).await
    }
}
