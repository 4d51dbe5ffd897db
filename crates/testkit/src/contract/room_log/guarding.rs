//! Conditions on messages, checked where deeds are stored.

use chat::ports::{Guard, NewDeed};
use chat::{Misfit, StoreError};
use protocol::limits::EDITS;
use protocol::{Epoch, Timestamp};

use super::folding::store;
use crate::Backend;
use crate::sample::{
    append, deeds, delete, edit, message, messages, new_room, person, react, seq, set_title, whole_log,
};

/// The error says why. Nothing is stored of a call with such a deed, not even what is before it.
pub async fn a_guard_that_does_not_hold_stores_nothing(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let (log, ada, bob) = (&backend.log, person("Ada"), person("Bob"));
    append(log, &room, &ada, messages("m", 2)).await;
    store(log, &room, &ada, vec![delete("gone", 2), set_title("t", "Title")]).await;
    let reply = |to: u64| NewDeed {
        guard: Some(Guard::Exists(seq(to))),
        ..deeds(vec![message("reply", "hello")]).remove(0)
    };
    for (who, deed, expected) in [
        (&bob, edit("x", 1, "mine"), Misfit::Foreign),
        (&bob, delete("x", 1), Misfit::Foreign),
        (&bob, edit("x", 2, "mine"), Misfit::Foreign),
        (&ada, edit("x", 2, "back"), Misfit::Deleted),
        (&ada, delete("x", 2), Misfit::Deleted),
        (&bob, react("x", 2, "👍", true), Misfit::Deleted),
        (&bob, react("x", 2, "👍", false), Misfit::Deleted),
        (&ada, edit("x", 3, "no message"), Misfit::Missing),
        (&ada, delete("x", 4), Misfit::Missing),
        (&ada, react("x", 9, "👍", true), Misfit::Missing),
        (&ada, react("x", 0, "👍", true), Misfit::Missing),
        (&ada, react("x", (1 << 53) - 1, "👍", true), Misfit::Missing),
        (&ada, reply(9), Misfit::Missing),
    ] {
        let about = format!("{deed:?}");
        let mut call = deeds(messages("before", 1));
        call.push(deed);
        match log.append(&room, who, call, Timestamp(1)).await {
            Err(StoreError::Unfit(why)) => assert_eq!(why, expected, "{about}"),
            other => panic!("{about} does not fit, but: {other:?}"),
        }
    }
    assert_eq!(whole_log(log, &room).await.len(), 4);
    assert_eq!(
        store(log, &room, &bob, vec![reply(2)]).await,
        [5],
        "a reply to a deleted message"
    );
    assert_eq!(append(log, &room, &bob, messages("before", 1)).await, [6]);
}

/// After the storage was emptied, another message may have the `seq` that somebody meant.
pub async fn a_deed_of_another_epoch_stores_nothing(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let (log, ada) = (&backend.log, person("Ada"));
    append(log, &room, &ada, messages("m", 1)).await;
    let now = log.head(&room).await.expect("the log has a head").epoch;
    let reply = NewDeed {
        guard: Some(Guard::Exists(seq(1))),
        ..deeds(vec![message("reply", "hello")]).remove(0)
    };
    let all = [
        edit("e", 1, "new"),
        react("r", 1, "👍", true),
        reply,
        delete("d", 1),
    ];
    let of = |epoch: &Epoch| {
        let epoch = Some(epoch.clone());
        all.clone().map(|deed| NewDeed {
            epoch: epoch.clone(),
            ..deed
        })
    };
    let other = Epoch::from_random(7);
    for deed in of(&other) {
        let about = format!("{deed:?}");
        match log.append(&room, &ada, vec![deed], Timestamp(1)).await {
            Err(StoreError::Unfit(why)) => assert_eq!(why, Misfit::Replaced, "{about}"),
            stored => panic!("{about} is of another epoch, but: {stored:?}"),
        }
    }
    assert_eq!(whole_log(log, &room).await.len(), 1);
    assert_eq!(store(log, &room, &ada, of(&now).to_vec()).await, [2, 3, 4, 5]);
    assert_eq!(
        store(log, &room, &ada, of(&other).to_vec()).await,
        [2, 3, 4, 5],
        "a repetition keeps its receipt"
    );
}

/// A deed that was stored keeps its receipt, whatever happened to the message since then.
pub async fn a_guard_does_not_refuse_a_repetition(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let (log, ada) = (&backend.log, person("Ada"));
    append(log, &room, &ada, messages("m", 1)).await;
    let (edited, deleted) = (edit("e", 1, "new"), delete("d", 1));
    assert_eq!(store(log, &room, &ada, vec![edited.clone()]).await, [2]);
    assert_eq!(
        store(log, &room, &ada, vec![deleted.clone(), deleted.clone()]).await,
        [3, 3]
    );
    assert_eq!(store(log, &room, &ada, vec![edited, deleted]).await, [2, 3]);
    let other = edit("d", 99, "another deed with the same id");
    assert_eq!(store(log, &room, &ada, vec![other]).await, [3]);
    assert_eq!(whole_log(log, &room).await.len(), 3);
}

/// A message refuses further edits, so that deleting it never takes long. Repetitions keep their receipts.
pub async fn edits_have_a_limit(backend: &Backend) {
    let room = new_room(backend, "room").await;
    let (log, ada) = (&backend.log, person("Ada"));
    append(log, &room, &ada, messages("m", 2)).await;
    let edits: Vec<_> = (1..=EDITS).map(|n| edit(&format!("e-{n}"), 1, "new")).collect();
    for some in edits.chunks(100) {
        store(log, &room, &ada, some.to_vec()).await;
    }
    let more = vec![edit("other", 2, "new"), edit("more", 1, "one too many")];
    match log.append(&room, &ada, more, Timestamp(1)).await {
        Err(StoreError::Unfit(why)) => assert_eq!(why, Misfit::Edited),
        other => panic!("it was edited often enough, but: {other:?}"),
    }
    let last = u64::from(EDITS) + 2;
    assert_eq!(
        store(log, &room, &ada, vec![edits[edits.len() - 1].clone()]).await,
        [last]
    );
    let others = vec![edit("other", 2, "new"), react("r", 1, "👍", true), delete("d", 1)];
    assert_eq!(
        store(log, &room, &ada, others).await,
        [last + 1, last + 2, last + 3]
    );
}
