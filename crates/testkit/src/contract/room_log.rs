//! What [`chat::ports::RoomLog`] promises.

mod folding;
mod following;
mod guarding;
mod pages;
mod reading;
mod storing;
mod titles;

use std::sync::Arc;

use chat::ports::{RoomLog, Signal};
use chat::{Entry, Limit, Stretch};
use futures::StreamExt;
use futures::future::join_all;
use futures::stream::BoxStream;
use protocol::{RoomSlug, Seq};

use crate::sample::{append, messages, person};

pub use folding::*;
pub use following::*;
pub use guarding::*;
pub use pages::*;
pub use reading::*;
pub use storing::*;
pub use titles::*;

/// Tests the room log of a fixture's backends against its contract.
#[macro_export]
macro_rules! room_log_contract {
    ($fixture:ident) => {
        $crate::contract_tests! { room_log, $fixture,
            messages_are_stored_in_their_order
            what_was_typed_comes_back
            an_append_is_visible_when_it_returns
            a_client_id_counts_once_in_one_call
            a_client_id_counts_once_in_later_calls
            a_client_id_counts_once_in_overlapping_calls
            a_client_id_belongs_to_its_author_and_room
            an_abandoned_append_can_be_repeated
            a_batch_is_stored_whole
            fifty_authors_at_once_leave_no_hole
            a_guard_that_does_not_hold_stores_nothing
            a_deed_of_another_epoch_stores_nothing
            a_guard_does_not_refuse_a_repetition
            edits_have_a_limit
            a_message_is_what_the_log_says_now
            reactions_fill_a_message
            a_deleted_text_is_gone
            a_title_changes_the_room
            a_title_belongs_to_one_room
            a_repeated_title_keeps_its_receipt
            overlapping_calls_share_no_title
            random_deeds_fold_as_in_the_browser
            reading_on_has_exact_edges
            a_page_has_exact_edges
            a_page_says_what_it_covers
            a_page_names_its_people
            a_stretch_ends_at_a_size
            a_page_ends_at_a_size
            an_empty_log_can_be_read
            an_unknown_room_is_refused
            rooms_are_independent
            an_epoch_stays
            followers_hear_what_comes_after
            followers_hear_the_same_in_the_same_order
            followers_hear_nothing_twice
            a_slow_follower_can_read_what_it_missed
        }
    };
}

fn seqs(entries: &[Arc<Entry>]) -> Vec<u64> {
    entries.iter().map(|entry| entry.event.seq.get()).collect()
}

async fn follow(log: &Arc<dyn RoomLog>, room: &RoomSlug) -> BoxStream<'static, Signal> {
    log.follow(room).await.expect("the room can be followed")
}

async fn read(log: &Arc<dyn RoomLog>, room: &RoomSlug, after: Seq, limit: u32) -> Stretch {
    log.read(room, after, Limit::of(limit))
        .await
        .expect("the log can be read")
}

/// The next event, for a follower that is fast enough.
async fn next(signals: &mut BoxStream<'static, Signal>) -> Arc<Entry> {
    match signals.next().await {
        Some(Signal::Event(entry)) => entry,
        other => panic!("an event, but: {other:?}"),
    }
}

/// Runs `writers` tasks at the same time; each appends `each` messages one after the other.
async fn write_at_once(log: &Arc<dyn RoomLog>, room: &RoomSlug, writers: usize, each: usize) {
    let tasks = (0..writers).map(|n| {
        let (log, room) = (Arc::clone(log), room.clone());
        tokio::spawn(async move {
            let author = person(&format!("Author-{n}"));
            for message in messages("m", each) {
                append(&log, &room, &author, vec![message]).await;
            }
        })
    });
    for task in join_all(tasks).await {
        task.expect("no panic in the writer");
    }
}
