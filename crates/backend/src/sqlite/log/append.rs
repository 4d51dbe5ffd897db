//! Stores deeds, and folds them into the messages that they are about. Runs on the writer's thread.

use std::sync::Arc;

use chat::ports::{Guard, NewDeed};
use chat::{Entry, Misfit, StoreError, title_key};
use protocol::{
    ClientId, Deed, LogEvent, Message, Person, Receipt, RoomSlug, RoomTitle, Seq, Timestamp, limits,
};
use rusqlite::{Connection, ToSql, params};

use crate::sqlite::row::{self, Head, MESSAGE};
use crate::{deeds, numbers};

/// Every author of an event has a row, with or without a session.
const KEEP_AUTHOR: &str = "\
    INSERT INTO people (id, name, created_at, wrote) VALUES (?1, ?2, ?3, 1)
    ON CONFLICT (id) DO UPDATE SET wrote = 1 WHERE wrote = 0";

const INSERT: &str = "\
    INSERT INTO events (room_id, seq, at, author_id, client_id, body, edits) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
    ON CONFLICT (room_id, author_id, client_id) WHERE client_id IS NOT NULL DO NOTHING";

const FIRST_TIME: &str = "SELECT seq FROM events WHERE room_id = ?1 AND author_id = ?2 AND client_id = ?3";

const MOVE_HEAD: &str = "UPDATE rooms SET head = ?2, last_at = ?3, messages = ?4 WHERE id = ?1";

const EDITS: &str = "\
    SELECT count(*) FROM (SELECT 1 FROM events WHERE room_id = ?1 AND edits = ?2 LIMIT ?3)";

const SET_TITLE: &str = "UPDATE rooms SET title = ?2, title_key = ?3 WHERE id = ?1";

const HAS_TITLE: &str = "SELECT slug FROM rooms WHERE title_key = ?1 AND id <> ?2";

/// As it was posted.
const ADD_MESSAGE: &str = "INSERT INTO folded (room_id, seq, number) VALUES (?1, ?2, ?3)";

const CHANGE_MESSAGE: &str = "\
    UPDATE folded SET rev = ?3, text = coalesce(?4, text), edited_at = ?5, deleted = ?6, reactions = ?7
    WHERE room_id = ?1 AND seq = ?2";

/// Removes the text from the event that posted a message. Makes the JSON of [`Deed::Posted`].
const EMPTY_POSTED: &str = "\
    UPDATE events SET body = json_patch(
        json_object('type', 'posted', 'client_id', client_id, 'text', ''), json_object('reply_to', ?3)
    ) WHERE room_id = ?1 AND seq = ?2";

/// Removes the texts from the events that edited a message. Makes the JSON of [`Deed::Edited`].
const EMPTY_EDITED: &str = "\
    UPDATE events SET body = json_object('type', 'edited', 'client_id', client_id, 'of', edits, 'text', '')
    WHERE room_id = ?1 AND edits = ?2";

/// Deeds ready to be stored. They are already JSON, to spend less time on the writer's thread.
pub struct Append {
    room: RoomSlug,
    by: Person,
    deeds: Vec<(NewDeed, String)>,
    at: Timestamp,
}

/// What was stored.
pub struct Stored {
    /// One receipt per deed.
    pub receipts: Vec<Receipt>,
    /// The events of the new deeds.
    pub entries: Vec<Arc<Entry>>,
}

/// A deed with the same client id is there, and then it is not.
#[derive(Debug, thiserror::Error)]
#[error("an event that was stored before has vanished")]
struct Vanished;

impl Append {
    pub fn new(room: RoomSlug, by: Person, deeds: Vec<NewDeed>, at: Timestamp) -> Result<Self, StoreError> {
        Ok(Self {
            room,
            by,
            deeds: deeds::with_json(deeds)?,
            at,
        })
    }

    pub fn store(self, connection: &Connection) -> Result<Stored, StoreError> {
        let Self { room, by, deeds, at } = self;
        let mut log = Log {
            connection,
            head: row::head(connection, &room)?,
            at: numbers::signed(at.0)?,
            by: &by,
        };
        log.execute(KEEP_AUTHOR, params![by.id.as_str(), by.name.as_str(), log.at])?;
        let mut receipts = Vec::with_capacity(deeds.len());
        let mut entries = Vec::with_capacity(deeds.len());
        for (new, body) in deeds {
            let client_id = deeds::client_id(&new.deed)?.clone();
            let receipt = |epoch, seq| Receipt {
                client_id: client_id.clone(),
                epoch,
                seq,
            };
            let epoch = log.head.at.epoch.clone();
            // A repeated deed gets its first receipt, whatever the message, or the other rooms, are like by now.
            if (new.guard.is_some() || !matches!(new.deed, Deed::Posted { .. }))
                && let Some(seq) = log.first_time(&client_id)?
            {
                receipts.push(receipt(epoch, seq));
                continue;
            }
            let about = new.guard.map(Guard::message).or(new.deed.about());
            let message = about.map(|seq| log.message(seq)).transpose()?.flatten();
            new.check(&by.id, &epoch, message.as_ref())
                .map_err(StoreError::Unfit)?;
            let deed = new.deed;
            if let Deed::Titled { title, .. } = &deed {
                log.check_title(title)?;
            }
            if let Some(message) = deed.edits() {
                log.check_edits(message)?;
            }
            let seq = log.head.at.seq.next();
            if !log.insert(seq, &client_id, &body, deed.edits())? {
                let seq = log
                    .first_time(&client_id)?
                    .ok_or_else(|| StoreError::failed(Vanished))?;
                receipts.push(receipt(epoch, seq));
                continue;
            }
            log.head.at.seq = seq;
            receipts.push(receipt(epoch.clone(), seq));
            let event = LogEvent {
                room: room.clone(),
                epoch,
                seq,
                at,
                by: by.id.clone(),
                deed,
            };
            log.fold(&event, message)?;
            entries.push(Arc::new(Entry {
                event,
                by: by.clone(),
            }));
        }
        if !entries.is_empty() {
            let (id, seq) = (log.head.id, numbers::signed(log.head.at.seq.get())?);
            log.execute(MOVE_HEAD, params![id, seq, log.at, log.head.messages])?;
        }
        Ok(Stored { receipts, entries })
    }
}

/// A room's log while one person's deeds are stored.
struct Log<'a> {
    connection: &'a Connection,
    head: Head,
    at: i64,
    by: &'a Person,
}

impl Log<'_> {
    fn execute(&self, sql: &str, values: &[&dyn ToSql]) -> Result<usize, StoreError> {
        let changed = self
            .connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(values));
        changed.map_err(StoreError::failed)
    }

    /// Stores an event. Returns false if this person has used the client id before.
    fn insert(
        &self,
        seq: Seq,
        client_id: &ClientId,
        body: &str,
        edits: Option<Seq>,
    ) -> Result<bool, StoreError> {
        let (id, seq, author) = (self.head.id, numbers::signed(seq.get())?, self.by.id.as_str());
        let edits = edits.map(|seq| numbers::signed(seq.get())).transpose()?;
        let values = params![id, seq, self.at, author, client_id.as_str(), body, edits];
        Ok(self.execute(INSERT, values)? == 1)
    }

    /// Refuses further edits of a message that has as many as it can have.
    fn check_edits(&self, message: Seq) -> Result<(), StoreError> {
        let mut count = self
            .connection
            .prepare_cached(EDITS)
            .map_err(StoreError::failed)?;
        let values = params![self.head.id, numbers::signed(message.get())?, limits::EDITS];
        let edits: u32 = count
            .query_row(values, |row| row.get(0))
            .map_err(StoreError::failed)?;
        if edits < limits::EDITS {
            Ok(())
        } else {
            Err(StoreError::Unfit(Misfit::Edited))
        }
    }

    /// Refuses a title that another room has.
    fn check_title(&self, title: &RoomTitle) -> Result<(), StoreError> {
        let mut find = self
            .connection
            .prepare_cached(HAS_TITLE)
            .map_err(StoreError::failed)?;
        let values = params![title_key(title), self.head.id];
        let mut rows = find.query(values).map_err(StoreError::failed)?;
        match rows.next().map_err(StoreError::failed)? {
            Some(row) => Err(StoreError::RoomExists(row::parsed(row, "slug")?)),
            None => Ok(()),
        }
    }

    /// The `seq` of a deed that was stored before.
    fn first_time(&self, client_id: &ClientId) -> Result<Option<Seq>, StoreError> {
        let mut find = self
            .connection
            .prepare_cached(FIRST_TIME)
            .map_err(StoreError::failed)?;
        let values = params![self.head.id, self.by.id.as_str(), client_id.as_str()];
        let mut rows = find.query(values).map_err(StoreError::failed)?;
        let row = rows.next().map_err(StoreError::failed)?;
        row.map(|row| row::seq(row, "seq")).transpose()
    }

    /// The message with this `seq`, as it is now.
    fn message(&self, seq: Seq) -> Result<Option<Message>, StoreError> {
        let sql = format!("SELECT {MESSAGE} FROM messages WHERE room_id = ?1 AND seq = ?2");
        let mut find = self.connection.prepare_cached(&sql).map_err(StoreError::failed)?;
        let values = params![self.head.id, numbers::signed(seq.get())?];
        let mut rows = find.query(values).map_err(StoreError::failed)?;
        let row = rows.next().map_err(StoreError::failed)?;
        row.map(row::message).transpose().map_err(StoreError::damaged)
    }

    /// Folds a new event into the message that it posts, or is about, or into the room.
    fn fold(&mut self, event: &LogEvent, about: Option<Message>) -> Result<(), StoreError> {
        let id = self.head.id;
        if matches!(event.deed, Deed::Posted { .. }) {
            self.head.messages += 1;
            let seq = numbers::signed(event.seq.get())?;
            self.execute(ADD_MESSAGE, params![id, seq, self.head.messages])?;
        } else if let Some(mut message) = about
            && message.apply(event)
        {
            let edited_at = message.edited_at.map(|at| numbers::signed(at.0)).transpose()?;
            let reactions =
                (!message.reactions.is_empty()).then(|| serde_json::to_string(&message.reactions));
            let reactions = reactions.transpose().map_err(StoreError::failed)?;
            let (seq, rev) = (
                numbers::signed(message.seq.get())?,
                numbers::signed(message.rev.get())?,
            );
            // A reaction writes little, however long the message is.
            let text = matches!(event.deed, Deed::Edited { .. } | Deed::Deleted { .. });
            let values = params![
                id,
                seq,
                rev,
                text.then_some(message.text.as_str()),
                edited_at,
                message.deleted,
                reactions
            ];
            self.execute(CHANGE_MESSAGE, values)?;
            if message.deleted {
                let reply_to = message.reply_to.map(|seq| numbers::signed(seq.get()));
                let reply_to = reply_to.transpose()?;
                self.execute(EMPTY_POSTED, params![id, seq, reply_to])?;
                self.execute(EMPTY_EDITED, params![id, seq])?;
            }
        } else if let Deed::Titled { title, .. } = &event.deed {
            self.execute(SET_TITLE, params![id, title.as_str(), title_key(title)])?;
        }
        Ok(())
    }
}
