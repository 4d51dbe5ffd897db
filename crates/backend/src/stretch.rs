//! Collects a stretch of a log from rows, and notices what is missing.

use std::sync::Arc;

use chat::{Fill, Limit, StoreError};
use protocol::{RoomEvent, RoomSlug};

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
    mut next: impl FnMut() -> Result<Option<RoomEvent>, StoreError>,
) -> Result<Vec<Arc<RoomEvent>>, StoreError> {
    let (mut fill, mut events) = (Fill::new(limit), Vec::new());
    for seq in seqs.take(limit.events as usize) {
        let Some(event) = next()?.filter(|event| event.seq.get() == seq) else {
            let room = room.clone();
            return Err(StoreError::damaged(Hole { room, seq }));
        };
        if !fill.take(event.bytes()) {
            break;
        }
        events.push(Arc::new(event));
    }
    Ok(events)
}
