//! Appends, and how a batch of them is stored in one statement.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chat::StoreError;
use protocol::{Epoch, Outgoing, Person, Receipt, RoomEvent, RoomSlug, Seq, Timestamp};
use tokio::sync::oneshot;

use super::connection::{Connection, Values};
use super::error::Fault;
use super::row;
use crate::bus::Bus;
use crate::{numbers, posted};

/// Locks the rooms in the order of their ids, so that two replicas never wait for each other.
const LOCK: &str = "SELECT slug, epoch FROM rooms WHERE slug = ANY($1) ORDER BY id FOR NO KEY UPDATE";

/// Stores the messages whose `client_id` is new, with the next seqs of their rooms. For the others, `stored_at` is the
/// time at which they were stored. (`LIMIT` makes the planner look each of them up by all three columns. As a plain join
/// it would look through a whole room.)
const STORE: &str = "\
    WITH given AS (
        SELECT message.*, rooms.id AS room_id, rooms.head, known.seq AS known_seq, known.at AS stored_at
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[]) WITH ORDINALITY
            AS message (slug, author_id, author_name, client_id, body, at, n)
        JOIN rooms ON rooms.slug = message.slug
        LEFT JOIN LATERAL (
            SELECT seq, at FROM events
            WHERE room_id = rooms.id AND author_id = message.author_id AND client_id = message.client_id LIMIT 1
        ) AS known ON true
    ), numbered AS (
        SELECT *, coalesce(
            known_seq,
            head + count(*) FILTER (WHERE known_seq IS NULL) OVER (PARTITION BY room_id ORDER BY n)
        ) AS seq FROM given
    ), stored AS (
        INSERT INTO events (room_id, seq, at, author_id, author_name, client_id, body)
        SELECT room_id, seq, at, author_id, author_name, client_id, body FROM numbered WHERE known_seq IS NULL
    ), moved AS (
        UPDATE rooms SET head = latest.seq, last_at = latest.at
        FROM (
            SELECT DISTINCT ON (room_id) room_id, seq, at FROM numbered
            WHERE known_seq IS NULL ORDER BY room_id, seq DESC
        ) AS latest
        WHERE rooms.id = latest.room_id
    )
    SELECT n, seq, stored_at FROM numbered";

/// Messages of one author for one room, to be stored together.
pub struct Append {
    room: RoomSlug,
    author: Person,
    messages: Vec<(Outgoing, String)>,
    at: Timestamp,
    stored_at: i64,
    reply: oneshot::Sender<Result<Vec<Receipt>, StoreError>>,
}

/// Where an append's answer arrives.
pub type Answer = oneshot::Receiver<Result<Vec<Receipt>, StoreError>>;

impl Append {
    /// Prepares messages.
    pub fn new(
        room: RoomSlug,
        author: Person,
        messages: Vec<Outgoing>,
        at: Timestamp,
    ) -> Result<(Self, Answer), StoreError> {
        let (reply, answer) = oneshot::channel();
        let append = Self {
            room,
            author,
            messages: posted::with_json(messages)?,
            at,
            stored_at: numbers::signed(at.0)?,
            reply,
        };
        Ok((append, answer))
    }

    /// The room's address.
    pub fn room(&self) -> &RoomSlug {
        &self.room
    }

    /// The bytes that it sends to PostgreSQL, not counting small change.
    pub fn bytes(&self) -> usize {
        self.messages.iter().map(|(_, json)| json.len() + 128).sum()
    }

    /// True if nobody waits for the answer.
    pub fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    /// Answers with a failure.
    pub fn fail(self, fault: &Fault) {
        // The caller may have stopped waiting.
        let _ = self.reply.send(Err(fault.clone().into()));
    }
}

/// What PostgreSQL answered to a batch.
pub struct Stored {
    /// The rooms that exist. `None`: the epoch cannot be read.
    epochs: HashMap<RoomSlug, Option<Epoch>>,
    /// For each different message, its seq, and the time if it was stored before.
    places: Vec<Option<(Seq, Option<i64>)>>,
}

/// Appends that are stored together. A message that comes several times is stored once.
pub struct Batch {
    appends: Vec<Append>,
    /// For each message of each append, the number among the different ones.
    numbers: Vec<Vec<usize>>,
    /// The different messages: append and message.
    different: Vec<(usize, usize)>,
}

impl Batch {
    /// Puts appends together.
    pub fn new(appends: Vec<Append>) -> Self {
        let (mut numbers, mut different) = (Vec::with_capacity(appends.len()), Vec::new());
        let mut known = HashMap::new();
        for (a, append) in appends.iter().enumerate() {
            let number = |(m, (message, _)): (usize, &(Outgoing, _))| {
                let key = (append.room.as_str(), append.author.id.as_str());
                *known.entry((key, message.client_id.clone())).or_insert_with(|| {
                    different.push((a, m));
                    different.len() - 1
                })
            };
            numbers.push(append.messages.iter().enumerate().map(number).collect());
        }
        drop(known);
        Self {
            appends,
            numbers,
            different,
        }
    }

    /// The appends.
    pub fn into_appends(self) -> Vec<Append> {
        self.appends
    }

    fn message(&self, number: usize) -> (&Append, &(Outgoing, String)) {
        let (append, message) = self.different[number];
        let append = &self.appends[append];
        (append, &append.messages[message])
    }

    /// Stores the batch.
    ///
    /// # Errors
    /// [`Fault::Refused`]: nothing was stored. Otherwise it is unknown whether all were stored or none; storing them
    /// again is safe.
    pub async fn store(&self, connection: &Connection) -> Result<Stored, Fault> {
        let mut rooms: Vec<_> = self.appends.iter().map(|append| append.room.as_str()).collect();
        rooms.sort_unstable();
        rooms.dedup();
        let count = self.different.len();
        let all = || (0..count).map(|number| self.message(number));
        let slugs: Vec<_> = all().map(|(append, _)| append.room.as_str()).collect();
        let ids: Vec<_> = all().map(|(append, _)| append.author.id.as_str()).collect();
        let names: Vec<_> = all().map(|(append, _)| append.author.name.as_str()).collect();
        let client_ids: Vec<_> = all().map(|(_, message)| message.0.client_id.as_str()).collect();
        let bodies: Vec<_> = all().map(|(_, message)| message.1.as_str()).collect();
        let times: Vec<_> = all().map(|(append, _)| append.stored_at).collect();
        let messages: Values<'_> = &[&slugs, &ids, &names, &client_ids, &bodies, &times];
        let (locked, placed) = connection
            .transaction((LOCK, &[&rooms]), (STORE, messages))
            .await?;
        // What cannot be read fails the appends that need it, and no others.
        let mut epochs = HashMap::with_capacity(locked.len());
        for row in &locked {
            let slug = RoomSlug::try_from(row.try_get::<_, String>(0)?).ok();
            epochs.extend(slug.map(|slug| (slug, row::parsed::<Epoch>(row, 1).ok())));
        }
        let mut places = vec![None; count];
        for row in &placed {
            let number: i64 = row.try_get(0)?;
            if let Some(place) = usize::try_from(number - 1).ok().and_then(|n| places.get_mut(n)) {
                let seq = numbers::seq(row.try_get(1)?).ok();
                *place = seq.zip(Some(row.try_get(2)?));
            }
        }
        Ok(Stored { epochs, places })
    }

    /// Tells the bus of the new events and answers the callers, after the commit. `again`: an earlier attempt had no
    /// answer, so what it stored is new too.
    pub fn settle(self, stored: &Stored, again: bool, bus: &dyn Bus) {
        for (room, events) in self.events(stored, again) {
            bus.committed(room, &events);
        }
        for (append, numbers) in self.appends.into_iter().zip(self.numbers) {
            let answer = match stored.epochs.get(&append.room) {
                None => Err(StoreError::NoSuchRoom(append.room)),
                Some(None) => Err(StoreError::damaged(format!(
                    "the epoch of {} cannot be read",
                    append.room
                ))),
                Some(Some(epoch)) => receipts(append.messages, &numbers, epoch, stored),
            };
            // The caller may have stopped waiting.
            let _ = append.reply.send(answer);
        }
    }

    /// The new events of each room, in the order of their seqs.
    fn events(&self, stored: &Stored, again: bool) -> BTreeMap<&RoomSlug, Vec<Arc<RoomEvent>>> {
        let mut rooms = BTreeMap::<_, Vec<_>>::new();
        for (number, place) in stored.places.iter().enumerate() {
            let (append, (message, _)) = self.message(number);
            let (Some((seq, stored_at)), Some(Some(epoch))) = (place, stored.epochs.get(&append.room)) else {
                continue;
            };
            if stored_at.is_some_and(|at| !again || at != append.stored_at) {
                continue;
            }
            rooms.entry(&append.room).or_default().push(Arc::new(RoomEvent {
                room: append.room.clone(),
                epoch: epoch.clone(),
                seq: *seq,
                at: append.at,
                author: append.author.clone(),
                body: posted::body(message),
            }));
        }
        for events in rooms.values_mut() {
            events.sort_unstable_by_key(|event| event.seq);
        }
        rooms
    }
}

fn receipts(
    messages: Vec<(Outgoing, String)>,
    numbers: &[usize],
    epoch: &Epoch,
    stored: &Stored,
) -> Result<Vec<Receipt>, StoreError> {
    let receipt = |((message, _), number): ((Outgoing, String), &usize)| {
        let place = stored.places.get(*number).copied().flatten();
        let (seq, _) =
            place.ok_or_else(|| StoreError::failed("PostgreSQL did not say where it stored a message"))?;
        Ok(Receipt {
            client_id: message.client_id,
            epoch: epoch.clone(),
            seq,
        })
    };
    messages.into_iter().zip(numbers).map(receipt).collect()
}
