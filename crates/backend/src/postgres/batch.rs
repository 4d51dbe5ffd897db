//! Appends that are stored together, in one transaction: plain posts in one trip to the server, others in two.

use std::collections::BTreeMap;
use std::sync::Arc;

use chat::{Entry, StoreError};
use protocol::{RoomSlug, limits};

use super::append::{Append, LOCK, Outcome, about, titled};
use super::connection::Connection;
use super::error::Fault;
use super::fold::{self, Rooms};
use super::{plain, row};
use crate::bus::Bus;

/// The deeds that were stored before, by the number of the given ones. (`LIMIT` makes the planner look each of them up
/// by all three columns. As a plain join it would look through a whole room.)
const KNOWN: &str = "\
    SELECT given.n, known.seq, known.at, known.author_id, people.name, known.body
    FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS given (slug, author_id, client_id, n)
    JOIN rooms ON rooms.slug = given.slug
    JOIN LATERAL (
        SELECT seq, at, author_id, body FROM events
        WHERE room_id = rooms.id AND author_id = given.author_id AND client_id = given.client_id LIMIT 1
    ) AS known ON true LEFT JOIN people ON people.id = known.author_id";

/// The messages that the deeds are about, and how often each was edited.
const ABOUT: &str = "\
    SELECT given.slug, about.*, (
        SELECT count(*) FROM (
            SELECT 1 FROM events WHERE room_id = rooms.id AND edits = given.seq AND edits IS NOT NULL LIMIT $3
        ) AS few
    )
    FROM (SELECT DISTINCT * FROM unnest($1::text[], $2::bigint[]) AS pair (slug, seq)) AS given
    JOIN rooms ON rooms.slug = given.slug
    JOIN LATERAL (
        SELECT number, seq, rev, at, author_id, client_id, text, reply_to, edited_at, deleted, reactions FROM messages
        WHERE room_id = rooms.id AND seq = given.seq LIMIT 1
    ) AS about ON true";

/// The rooms that have the titles.
const TITLED: &str = "SELECT title_key, slug FROM rooms WHERE title_key = ANY($1)";

/// What PostgreSQL stored of a batch: the outcome of each append.
pub struct Stored(Vec<Outcome>);

/// Appends that are stored together.
pub struct Batch(Vec<Append>);

impl Batch {
    /// Cuts appends into batches that are not too large.
    pub fn of(appends: impl Iterator<Item = Append>, bytes: usize) -> Vec<Self> {
        let (mut batches, mut batch, mut size) = (Vec::new(), Vec::new(), 0);
        for append in appends {
            let more = append.bytes();
            if !batch.is_empty() && size + more > bytes {
                batches.push(Self(std::mem::take(&mut batch)));
                size = 0;
            }
            size += more;
            batch.push(append);
        }
        if !batch.is_empty() {
            batches.push(Self(batch));
        }
        batches
    }

    /// Cuts a batch that was refused into its rooms, and the batch of one room into its appends. If that is no use,
    /// answers with the failure and returns nothing.
    pub fn split(self, fault: &Fault) -> Vec<Self> {
        let mut rooms = BTreeMap::<_, Vec<_>>::new();
        for append in self.0 {
            rooms.entry(append.room.clone()).or_default().push(append);
        }
        if rooms.len() > 1 {
            return rooms.into_values().map(Self).collect();
        }
        let appends: Vec<_> = rooms.into_values().flatten().collect();
        if appends.len() > 1 && !fault.is_locked() {
            return appends.into_iter().map(|append| Self(vec![append])).collect();
        }
        tracing::error!(error = %fault, appends = appends.len(), "PostgreSQL could not store messages");
        for append in appends {
            append.answer(Err(fault.clone().into()));
        }
        vec![]
    }

    /// Stores the batch.
    ///
    /// # Errors
    /// [`Fault::Refused`]: nothing was stored. Otherwise it is unknown whether all were stored or none; storing them
    /// again is safe.
    pub async fn store(&self, connection: &Connection) -> Result<Stored, Fault> {
        match plain::store(&self.0, connection).await? {
            Some(outcomes) => Ok(Stored(outcomes)),
            None => self.fold(connection).await,
        }
    }

    /// Stores the batch, whatever is in it.
    async fn fold(&self, connection: &Connection) -> Result<Stored, Fault> {
        let mut rooms: Vec<_> = self.0.iter().map(|append| append.room.as_str()).collect();
        rooms.sort_unstable();
        rooms.dedup();
        let all = || {
            self.0
                .iter()
                .flat_map(|append| append.deeds.iter().map(move |(deed, _)| (append, deed)))
        };
        let slugs: Vec<_> = all().map(|(append, _)| append.room.as_str()).collect();
        let people: Vec<_> = all().map(|(append, _)| append.by.id.as_str()).collect();
        let client_ids: Vec<_> = all()
            .map(|(_, new)| new.deed.client_id().map_or("", |id| id.as_str()))
            .collect();
        let about = || all().filter_map(|(append, new)| Some((append.room.as_str(), about(new)?)));
        let about_rooms: Vec<_> = about().map(|(room, _)| room).collect();
        let about_seqs: Vec<_> = about().map(|(_, seq)| seq.get().cast_signed()).collect();
        let titles: Vec<_> = all().filter_map(|(_, new)| titled(new)).collect();
        let began = connection
            .begin(&[
                (LOCK, &[&rooms]),
                (KNOWN, &[&slugs, &people, &client_ids]),
                (ABOUT, &[&about_rooms, &about_seqs, &i64::from(limits::EDITS)]),
                (TITLED, &[&titles]),
            ])
            .await?;
        let [locked, known, messages, titled] = &began[..] else {
            return Err(Fault::lost("an answer is missing"));
        };
        let mut state = Rooms::default();
        for row in locked {
            state.room(row)?;
        }
        for row in messages {
            // A message that cannot be read counts as missing.
            if let (Ok(slug), Ok(message)) = (row::parsed(row, 0), row::message(row, 1)) {
                state.message(&slug, message, row.try_get(12)?);
            }
        }
        for row in titled {
            if let Ok(room) = row::parsed(row, 1) {
                state.titled(row.try_get(0)?, room);
            }
        }
        let given: Vec<_> = all().collect();
        for row in known {
            let number = usize::try_from(row.try_get::<_, i64>(0)? - 1).unwrap_or(usize::MAX);
            if let Some((append, new)) = given.get(number) {
                state.known(append, new, row);
            }
        }
        let outcomes = self.0.iter().map(|append| state.append(append)).collect();
        state.changes.write(connection).await?;
        Ok(Stored(outcomes))
    }

    /// Tells the bus of the new events and answers the callers, after the commit. With `before`, also tells of events
    /// that were stored before: by an attempt without an answer, or by a process that may not have told anybody.
    pub fn settle(self, stored: Stored, before: bool, bus: &dyn Bus) {
        let mut rooms = BTreeMap::<RoomSlug, Vec<Arc<Entry>>>::new();
        for (append, outcome) in self.0.iter().zip(&stored.0) {
            let Outcome::Stored(places) = outcome else {
                continue;
            };
            for ((new, _), place) in append.deeds.iter().zip(places) {
                let entry = match &place.before {
                    None => Arc::new(fold::entry(append, &new.deed, &place.receipt)),
                    Some(entry) if before => Arc::clone(entry),
                    Some(_) => continue,
                };
                rooms.entry(append.room.clone()).or_default().push(entry);
            }
        }
        for (room, mut entries) in rooms {
            entries.sort_by_key(|entry| entry.event.seq);
            entries.dedup_by_key(|entry| entry.event.seq);
            bus.committed(&room, &entries);
        }
        for (append, outcome) in self.0.into_iter().zip(stored.0) {
            let answer = match outcome {
                Outcome::Stored(places) => Ok(places.into_iter().map(|place| place.receipt).collect()),
                Outcome::Unfit(why) => Err(StoreError::Unfit(why)),
                Outcome::Titled(room) => Err(StoreError::RoomExists(room)),
                Outcome::NoSuchRoom => Err(StoreError::NoSuchRoom(append.room.clone())),
                Outcome::Damaged => {
                    let sentence = format!("what {} had stored cannot be read", append.room);
                    Err(StoreError::damaged(sentence))
                }
            };
            append.answer(answer);
        }
    }
}
