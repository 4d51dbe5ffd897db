//! Appends, and how a batch of them is stored in one statement.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chat::StoreError;
use protocol::{
    DisplayName, Epoch, EventBody, Outgoing, Person, Receipt, RoomEvent, RoomSlug, Seq, Timestamp,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_postgres::Row;

use super::connection::{Connection, Values};
use super::error::Fault;
use super::row;
use crate::bus::Bus;
use crate::{numbers, posted};

/// Locks the rooms in the order of their ids, so that two replicas never wait for each other.
const LOCK: &str = "SELECT slug, epoch FROM rooms WHERE slug = ANY($1) ORDER BY id FOR NO KEY UPDATE";

/// Stores the messages whose `client_id` is new, with the next seqs of their rooms. For the others, returns what was
/// stored the first time. (`LIMIT` makes the planner look each of them up by all three columns. As a plain join
/// it would look through a whole room.)
const STORE: &str = "\
    WITH given AS (
        SELECT message.*, rooms.id AS room_id, rooms.head, known.seq AS known_seq, known.at AS known_at,
            known.author_name AS known_name, known.body AS known_body
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[]) WITH ORDINALITY
            AS message (slug, author_id, author_name, client_id, body, at, n)
        JOIN rooms ON rooms.slug = message.slug
        LEFT JOIN LATERAL (
            SELECT seq, at, author_name, body FROM events
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
    SELECT n, seq, known_at, known_name, known_body FROM numbered";

/// Messages of one author for one room, to be stored together.
pub struct Append {
    room: RoomSlug,
    author: Person,
    messages: Vec<(Outgoing, String)>,
    at: Timestamp,
    reply: oneshot::Sender<Result<Vec<Receipt>, StoreError>>,
    /// Its part of the bytes that may wait, given back when it is dropped.
    share: Option<OwnedSemaphorePermit>,
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

    /// About how many bytes it sends to PostgreSQL.
    fn bytes(&self) -> usize {
        self.messages.iter().map(|(_, json)| json.len() + 128).sum()
    }

    /// True if nobody waits for the answer.
    pub fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }
}

/// What PostgreSQL answered to a batch.
pub struct Stored {
    /// The rooms that exist. `None`: the epoch cannot be read.
    epochs: HashMap<RoomSlug, Option<Epoch>>,
    /// For each different message, where it is.
    places: Vec<Option<Place>>,
}

/// Where a message is in its room's log.
struct Place {
    seq: Seq,
    /// What was stored the first time. `None`: it was stored now.
    before: Option<Before>,
}

/// An event that was stored before.
struct Before {
    at: Timestamp,
    author_name: DisplayName,
    body: EventBody,
}

impl Place {
    /// Reads a row. `None` if it makes no sense.
    fn read(row: &Row) -> Option<Self> {
        let at: Option<i64> = row.try_get(2).ok()?;
        let before = match at {
            None => None,
            Some(at) => Some(Before {
                at: numbers::time(at).ok()?,
                author_name: DisplayName::kept(row.try_get(3).ok()?),
                body: serde_json::from_str(row.try_get(4).ok()?).ok()?,
            }),
        };
        Some(Self {
            seq: numbers::seq(row.try_get(1).ok()?).ok()?,
            before,
        })
    }
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
    fn new(appends: Vec<Append>) -> Self {
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

    /// Cuts appends into batches that are not too large.
    pub fn of(appends: impl Iterator<Item = Append>, bytes: usize) -> Vec<Self> {
        let (mut batches, mut batch, mut size) = (Vec::new(), Vec::new(), 0);
        for append in appends {
            let more = append.bytes();
            if !batch.is_empty() && size + more > bytes {
                batches.push(Self::new(std::mem::take(&mut batch)));
                size = 0;
            }
            size += more;
            batch.push(append);
        }
        if !batch.is_empty() {
            batches.push(Self::new(batch));
        }
        batches
    }

    /// Cuts a batch that was refused into its rooms, and the batch of one room into its appends. If that is no use,
    /// answers with the failure and returns nothing.
    pub fn split(self, fault: &Fault) -> Vec<Self> {
        let mut rooms = BTreeMap::<_, Vec<_>>::new();
        for append in self.appends {
            rooms.entry(append.room.clone()).or_default().push(append);
        }
        if rooms.len() > 1 {
            return rooms.into_values().map(Self::new).collect();
        }
        let appends: Vec<_> = rooms.into_values().flatten().collect();
        if appends.len() > 1 && !fault.is_locked() {
            return appends
                .into_iter()
                .map(|append| Self::new(vec![append]))
                .collect();
        }
        tracing::error!(error = %fault, appends = appends.len(), "PostgreSQL could not store messages");
        for append in appends {
            // The caller may have stopped waiting.
            let _ = append.reply.send(Err(fault.clone().into()));
        }
        vec![]
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
        let times: Vec<_> = all().map(|(append, _)| append.at.0.cast_signed()).collect();
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
        let mut places: Vec<_> = (0..count).map(|_| None).collect();
        for row in &placed {
            let number: i64 = row.try_get(0)?;
            if let Some(place) = usize::try_from(number - 1).ok().and_then(|n| places.get_mut(n)) {
                *place = Place::read(row);
            }
        }
        Ok(Stored { epochs, places })
    }

    /// Tells the bus of the new events and answers the callers, after the commit. With `before`, also tells of messages
    /// that were stored before: by an attempt without an answer, or by a process that may not have told anybody.
    pub fn settle(self, stored: &Stored, before: bool, bus: &dyn Bus) {
        for (room, events) in self.events(stored, before) {
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

    /// The events of each room, in the order of their seqs.
    fn events(&self, stored: &Stored, before: bool) -> BTreeMap<&RoomSlug, Vec<Arc<RoomEvent>>> {
        let mut rooms = BTreeMap::<_, Vec<_>>::new();
        for (number, place) in stored.places.iter().enumerate() {
            let (append, (message, _)) = self.message(number);
            let (Some(place), Some(Some(epoch))) = (place, stored.epochs.get(&append.room)) else {
                continue;
            };
            let (at, name, body) = match &place.before {
                None => (append.at, &append.author.name, posted::body(message)),
                Some(stored) if before => (stored.at, &stored.author_name, stored.body.clone()),
                Some(_) => continue,
            };
            let author = Person {
                id: append.author.id.clone(),
                name: name.clone(),
            };
            rooms.entry(&append.room).or_default().push(Arc::new(RoomEvent {
                room: append.room.clone(),
                epoch: epoch.clone(),
                seq: place.seq,
                at,
                author,
                body,
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
        let place = stored.places.get(*number).and_then(Option::as_ref);
        let place = place.ok_or_else(|| StoreError::damaged("a stored message cannot be read"))?;
        Ok(Receipt {
            client_id: message.client_id,
            epoch: epoch.clone(),
            seq: place.seq,
        })
    };
    messages.into_iter().zip(numbers).map(receipt).collect()
}
