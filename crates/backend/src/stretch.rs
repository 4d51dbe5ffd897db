//! Collects a stretch of a log from rows, and notices what is missing.

use std::sync::Arc;

use chat::{Entry, Fill, Limit, StoreError};
use protocol::RoomSlug;

/// An event is missing from a log.
#[derive(Debug, thiserror::Error)]
#[error("the log of {room} has no event {seq}; restore the database from a backup")]
struct Hole {
    room: RoomSlug,
    seq: u64,
}

/// Takes events from `next` for as long as the limit allows. They must have these `seq`s, in this order. An event that
/// is missing or cannot be read is an error.
pub fn collect(
    room: &RoomSlug,
    seqs: impl Iterator<Item = u64>,
    limit: Limit,
    mut next: impl FnMut() -> Result<Option<Entry>, StoreError>,
) -> Result<Vec<Arc<Entry>>, StoreError> {
    let (mut fill, mut entries) = (Fill::new(limit), Vec::new());
    for seq in seqs.take(limit.count as usize) {
        let Some(entry) = next()?.filter(|entry| entry.event.seq.get() == seq) else {
            let room = room.clone();
            return Err(StoreError::damaged(Hole { room, seq }));
        };
        if !fill.take(entry.bytes()) {
            break;
        }
        entries.push(Arc::new(entry));
    }
    Ok(entries)
}
