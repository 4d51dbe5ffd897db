//! Plain posts: messages that depend on no other. A batch of them takes one trip to the server.

use std::collections::HashMap;
use std::sync::Arc;

use protocol::{Deed, Epoch, Receipt, RoomSlug};
use tokio_postgres::Row;

use super::append::{Append, LOCK, Outcome, Place};
use super::connection::Connection;
use super::error::Fault;
use super::row;
use crate::numbers;

/// Stores the messages whose `client_id` is new, with the next seqs of their rooms, as events and as messages. For the
/// others, returns what was stored the first time. (`LIMIT` makes the planner look each of them up by all three columns.
/// As a plain join it would look through a whole room.)
const STORE: &str = "\
    WITH given AS (
        SELECT message.*, rooms.id AS room_id, rooms.head, rooms.messages, known.seq AS known_seq,
            known.at AS known_at, known.author_id AS known_author, known.body AS known_body
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[])
            WITH ORDINALITY AS message (slug, author_id, name, client_id, body, text, at, n)
        JOIN rooms ON rooms.slug = message.slug
        LEFT JOIN LATERAL (
            SELECT seq, at, author_id, body FROM events
            WHERE room_id = rooms.id AND author_id = message.author_id AND client_id = message.client_id LIMIT 1
        ) AS known ON true
    ), numbered AS (
        SELECT *, count(*) FILTER (WHERE known_seq IS NULL) OVER (PARTITION BY room_id ORDER BY n) AS nth FROM given
    ), fresh AS (
        SELECT room_id, head + nth AS seq, messages + nth AS number, at, author_id, name, client_id, body, text
        FROM numbered WHERE known_seq IS NULL
    ), stored AS (
        INSERT INTO events (room_id, seq, at, author_id, client_id, body)
        SELECT room_id, seq, at, author_id, client_id, body FROM fresh
    ), folded AS (
        INSERT INTO messages (room_id, seq, number, rev, at, author_id, client_id, text, deleted)
        SELECT room_id, seq, number, seq, at, author_id, client_id, text, false FROM fresh
    ), named AS (
        INSERT INTO people (id, name, created_at, wrote)
        SELECT DISTINCT ON (author_id) author_id, name, at, true FROM fresh
        WHERE NOT EXISTS (SELECT 1 FROM people WHERE people.id = fresh.author_id AND wrote)
        ORDER BY author_id ON CONFLICT (id) DO UPDATE SET wrote = true
    ), moved AS (
        UPDATE rooms SET head = latest.seq, last_at = latest.at, messages = latest.number
        FROM (
            SELECT DISTINCT ON (room_id) room_id, seq, number, at FROM fresh ORDER BY room_id, seq DESC
        ) AS latest
        WHERE rooms.id = latest.room_id
    )
    SELECT n, coalesce(known_seq, head + nth), known_at, known_author, people.name, known_body
    FROM numbered LEFT JOIN people ON people.id = known_author";

/// A message to store.
struct Post<'a> {
    append: &'a Append,
    client_id: &'a protocol::ClientId,
    text: &'a str,
    json: &'a str,
}

/// The different messages of a batch, and for each message of each append, its number among them. `None` if something
/// else is among them.
fn posts(appends: &[Append]) -> Option<(Vec<Post<'_>>, Vec<Vec<usize>>)> {
    let (mut posts, mut numbers) = (Vec::new(), Vec::with_capacity(appends.len()));
    let mut known = HashMap::new();
    for append in appends {
        let mut of_append = Vec::with_capacity(append.deeds.len());
        for (new, json) in &append.deeds {
            let Deed::Posted {
                client_id,
                text,
                reply_to: None,
            } = &new.deed
            else {
                return None;
            };
            if new.guard.is_some() {
                return None;
            }
            let once = (append.room.as_str(), append.by.id.as_str(), client_id.as_str());
            of_append.push(*known.entry(once).or_insert_with(|| {
                posts.push(Post {
                    append,
                    client_id,
                    text: text.as_str(),
                    json,
                });
                posts.len() - 1
            }));
        }
        numbers.push(of_append);
    }
    Some((posts, numbers))
}

/// Stores appends of plain posts, and says what became of each. `None`: something else is among them, and nothing was
/// done.
///
/// # Errors
/// As `Batch::store`.
pub async fn store(appends: &[Append], connection: &Connection) -> Result<Option<Vec<Outcome>>, Fault> {
    let Some((posts, numbers)) = posts(appends) else {
        return Ok(None);
    };
    let mut rooms: Vec<_> = appends.iter().map(|append| append.room.as_str()).collect();
    rooms.sort_unstable();
    rooms.dedup();
    let time = |append: &Append| append.at.0.cast_signed();
    macro_rules! column {
        ($rows:expr, |$row:pat_param| $value:expr) => {
            &$rows.iter().map(|$row| $value).collect::<Vec<_>>()
        };
    }
    let answers = connection
        .transaction(&[
            (LOCK, &[&rooms]),
            (
                STORE,
                &[
                    column!(posts, |post| post.append.room.as_str()),
                    column!(posts, |post| post.append.by.id.as_str()),
                    column!(posts, |post| post.append.by.name.as_str()),
                    column!(posts, |post| post.client_id.as_str()),
                    column!(posts, |post| post.json),
                    column!(posts, |post| post.text),
                    column!(posts, |post| time(post.append)),
                ],
            ),
        ])
        .await?;
    let [locked, placed] = &answers[..] else {
        return Err(Fault::lost("an answer is missing"));
    };
    // What cannot be read fails the appends that need it, and no others.
    let mut epochs = HashMap::with_capacity(locked.len());
    for row in locked {
        let slug: Result<RoomSlug, _> = row::parsed(row, 0);
        epochs.extend(slug.map(|slug| (slug, row::parsed::<Epoch>(row, 1).ok())));
    }
    let mut places: Vec<Option<Place>> = posts.iter().map(|_| None).collect();
    for row in placed {
        let number = usize::try_from(row.try_get::<_, i64>(0)? - 1).unwrap_or(usize::MAX);
        if let (Some(post), Some(place)) = (posts.get(number), places.get_mut(number)) {
            let epoch = epochs.get(&post.append.room).and_then(Option::as_ref);
            *place = epoch.and_then(|epoch| read(row, post, epoch));
        }
    }
    let outcome = |(append, numbers): (&Append, Vec<usize>)| match epochs.get(&append.room) {
        None => Outcome::NoSuchRoom,
        Some(_) => {
            let places = numbers.into_iter().map(|number| places[number].clone());
            places
                .collect::<Option<_>>()
                .map_or(Outcome::Damaged, Outcome::Stored)
        }
    };
    Ok(Some(appends.iter().zip(numbers).map(outcome).collect()))
}

/// Where a message is. `None` if the row makes no sense.
fn read(row: &Row, post: &Post<'_>, epoch: &Epoch) -> Option<Place> {
    let stored_before = row.try_get::<_, Option<i64>>(2).ok()?.is_some();
    let before = stored_before.then(|| row::entry(row, 1, &post.append.room, epoch));
    Some(Place {
        receipt: Receipt {
            client_id: post.client_id.clone(),
            epoch: epoch.clone(),
            seq: numbers::seq(row.try_get(1).ok()?).ok()?,
        },
        before: before.transpose().ok()?.map(Arc::new),
    })
}
