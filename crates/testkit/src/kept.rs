//! Checks that a log has what was acknowledged.

use std::collections::HashSet;
use std::sync::Arc;

use chat::ports::RoomLog;
use protocol::{Deed, Receipt, RoomSlug};

use crate::sample::whole_log;

/// Checks that every acknowledged message of the lobby is stored once, at the position of its receipt.
///
/// # Panics
/// If one is missing, elsewhere, or stored twice.
pub async fn assert_kept(log: &Arc<dyn RoomLog>, receipts: &[Receipt]) {
    let stored = whole_log(log, &RoomSlug::lobby()).await;
    let mut seen = HashSet::new();
    let mut client_ids = Vec::new();
    for event in &stored {
        let Deed::Posted { client_id, .. } = &event.event.deed else {
            panic!("only messages were sent");
        };
        let new = seen.insert((&event.by.id, client_id));
        assert!(new, "{client_id} of {} is stored twice", event.by.id);
        client_ids.push(client_id);
    }
    for receipt in receipts {
        let index = usize::try_from(receipt.seq.get()).expect("it fits") - 1;
        let event = stored.get(index).expect("an acknowledged message is stored");
        assert_eq!(
            (client_ids[index], &event.event.epoch),
            (&receipt.client_id, &receipt.epoch)
        );
    }
}
