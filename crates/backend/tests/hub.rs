//! The use cases on SQLite.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use async_trait::async_trait;
use backend::{Local, RandomIds, Sqlite, SystemClock};
use chat::hub::Ports;
use chat::ports::{NewDeed, PresenceChange, RoomLog, Signal};
use chat::{
    Caller, ChatError, ConnectionId, FindRoom, Hub, Limit, Opened, RoomUpdate, SendTogether, StoreError,
    Stretch,
};
use futures::stream::{BoxStream, StreamExt};
use protocol::{
    CreateRoom, Delete, Edit, Epoch, ErrorCode, History, HistoryAnswer, Join, Joined, Leave, ListRooms,
    LogEvent, MessagePage, Outgoing, Person, Position, React, Receipt, Refusal, RoomSlug, Send, Seq,
    SetTitle, SignIn, Timestamp,
};
use tempfile::TempDir;
use testkit::sample::{caller, message, messages, person, room, seq, slug};
use testkit::within;

/// A hub, and its temporary folder.
async fn hub() -> (Hub, TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    (open(folder.path()).await, folder)
}

async fn open(folder: &Path) -> Hub {
    open_on(folder, |log| log).await
}

/// As [`open`], with a wrapper around the log.
async fn open_on(folder: &Path, wrap: impl FnOnce(Arc<dyn RoomLog>) -> Arc<dyn RoomLog>) -> Hub {
    let local = Arc::new(Local::default());
    let sqlite = Arc::new(Sqlite::open(folder, local.clone()).expect("the folder can be opened"));
    let ports = Ports {
        log: wrap(sqlite.clone()),
        directory: sqlite.clone(),
        accounts: sqlite,
        presence: local,
        clock: Arc::new(SystemClock),
        ids: Arc::new(RandomIds),
    };
    Hub::open(ports).await.expect("the hub opens")
}

/// Sends this many messages, a hundred at a time.
async fn send(hub: &Hub, room: &RoomSlug, who: &Person, prefix: &str, count: usize) {
    let all = messages(prefix, count);
    for batch in all.chunks(100) {
        let command = Send {
            room: room.clone(),
            messages: batch.to_vec(),
        };
        hub.ask(&caller(who), command)
            .await
            .expect("the messages are stored");
    }
}

async fn join(hub: &Hub, who: &Person, from: Option<Position>) -> Joined {
    let join = Join {
        room: RoomSlug::lobby(),
        from,
    };
    let tab = ConnectionId("tab".into());
    let caller = Caller {
        connection: Some(&tab),
        ..caller(who)
    };
    hub.ask(&caller, join).await.expect("they join")
}

fn refusal<T>(result: Result<T, ChatError>) -> Refusal {
    match result {
        Ok(_) => panic!("it should be refused"),
        Err(error) => Refusal::from(&error),
    }
}

fn seqs(events: &[LogEvent]) -> Vec<u64> {
    events.iter().map(|event| event.seq.get()).collect()
}

fn posted(page: &MessagePage) -> Vec<u64> {
    page.messages.iter().map(|message| message.seq.get()).collect()
}

/// The messages of an answer that has a page, and whether there are older ones.
fn latest(joined: &Joined) -> (Vec<u64>, bool) {
    let page = joined.page.as_ref().expect("a page");
    assert_eq!((page.head, page.covers.last), (joined.head.seq, joined.head.seq));
    assert!(joined.events.is_empty() && joined.people.is_empty() && !joined.more);
    (posted(page), page.more)
}

#[tokio::test]
async fn a_session_belongs_to_its_person_until_they_sign_out() {
    within(async {
        let (hub, _folder) = hub().await;
        let name = person("Ada").name;
        let sign_in = || SignIn { name: name.clone() };
        let one = hub.ask(&Caller::NOBODY, sign_in()).await.unwrap();
        let two = hub.ask(&Caller::NOBODY, sign_in()).await.unwrap();
        let again = refusal(hub.ask(&caller(&one.you), sign_in()).await);
        assert_eq!(again.code, ErrorCode::BadRequest, "nobody signs in twice");
        assert_ne!(one.you.id, two.you.id, "names are not unique");
        assert_eq!(hub.person(&one.token).await.unwrap(), Some(one.you));
        hub.sign_out(&one.token).await.unwrap();
        assert_eq!(hub.person(&one.token).await.unwrap(), None);
        assert_eq!(hub.person(&two.token).await.unwrap(), Some(two.you));
    })
    .await;
}

#[tokio::test]
async fn rooms_get_an_address_from_their_title() {
    within(async {
        let (hub, _folder) = hub().await;
        let (ada, find) = (person("Ada"), |room| FindRoom { room });
        let ada = caller(&ada);
        let create = |title| CreateRoom {
            title: room(1, "unused", title).title,
        };
        let made = hub.ask(&ada, create("Night shift")).await.unwrap();
        assert_eq!(made.room, slug("night-shift"));
        let refused = refusal(hub.ask(&ada, create("night SHIFT!")).await);
        assert_eq!(refused.code, ErrorCode::RoomExists);
        assert!(refused.message.contains("/rooms/night-shift"), "{refused}");
        let joined = hub.ask(&ada, create("Nightshift")).await.unwrap();
        assert_eq!(joined.room, slug("nightshift"), "spaces separate words");

        for (title, same, other) in [
            ("日本語", "日本語", "日本"),
            ("Кот и пёс", "кот и ПЁС!", "Кот"),
            ("++", "++", "+"),
            ("!!!", "!!!", "???"),
        ] {
            let made = hub.ask(&ada, create(title)).await.unwrap();
            let found = hub.ask(&ada, find(made.room.clone())).await.unwrap();
            assert_eq!(found.title.as_str(), title);
            let refused = refusal(hub.ask(&ada, create(same)).await);
            assert_eq!(refused.code, ErrorCode::RoomExists, "{title}");
            assert_eq!(refused.room, Some(made.room), "{title}");
            hub.ask(&ada, create(other)).await.unwrap();
        }

        send(&hub, &made.room, &person("Ada"), "m", 1).await;
        let list = hub.ask(&Caller::NOBODY, ListRooms {}).await.unwrap().rooms;
        assert_eq!(list[0].room, RoomSlug::lobby(), "the lobby first");
        assert_eq!(list.len(), 11);
        assert!(
            list.iter()
                .any(|line| line.room == made.room && line.last_at.is_some())
        );
        let missing = refusal(hub.ask(&ada, find(slug("nowhere"))).await);
        assert_eq!(missing.code, ErrorCode::RoomNotFound);
    })
    .await;
}

#[tokio::test]
async fn joining_for_the_first_time_returns_the_latest_messages() {
    within(async {
        let (hub, _folder) = hub().await;
        let (ada, lobby) = (person("Ada"), RoomSlug::lobby());
        let joined = join(&hub, &ada, None).await;
        assert_eq!(latest(&joined), (vec![], false));
        assert_eq!((joined.roster.people, joined.roster.here), (vec![ada.clone()], 1));
        send(&hub, &lobby, &ada, "m", 50).await;
        let joined = join(&hub, &ada, None).await;
        assert_eq!(latest(&joined), ((1..=50).collect(), false));
        send(&hub, &lobby, &ada, "n", 1).await;
        let joined = join(&hub, &ada, None).await;
        assert_eq!(latest(&joined), ((2..=51).collect(), true));
        assert_eq!(joined.head.seq, seq(51));
    })
    .await;
}

#[tokio::test]
async fn joining_again_returns_missed_events_or_resets() {
    within(async {
        let (hub, _folder) = hub().await;
        let (ada, lobby) = (person("Ada"), RoomSlug::lobby());
        send(&hub, &lobby, &ada, "m", 700).await;
        let epoch = join(&hub, &ada, None).await.head.epoch;
        let at = |n| Position {
            epoch: epoch.clone(),
            seq: seq(n),
        };
        let elsewhere = Position {
            epoch: Epoch::from_random(0),
            seq: seq(699),
        };
        for (from, expected, reset, why) in [
            (at(700), 701..701, false, "nothing was missed"),
            (at(697), 698..701, false, "a little was missed"),
            (at(200), 201..701, false, "as many as one answer can return"),
            (at(199), 651..701, true, "one more than an answer can return"),
            (at(0), 651..701, true, "the whole log"),
            (at(701), 651..701, true, "a position that the log never reached"),
            (elsewhere, 651..701, true, "another epoch"),
        ] {
            let joined = join(&hub, &ada, Some(from)).await;
            let expected: Vec<_> = expected.collect();
            if reset {
                assert_eq!(latest(&joined), (expected, true), "{why}");
            } else {
                assert_eq!((seqs(&joined.events), joined.more), (expected, false), "{why}");
                assert!(joined.page.is_none());
            }
            assert_eq!(joined.head, at(700), "{why}");
        }
    })
    .await;
}

#[tokio::test]
async fn history_goes_both_ways() {
    within(async {
        let (hub, _folder) = hub().await;
        let (ada, lobby) = (person("Ada"), RoomSlug::lobby());
        send(&hub, &lobby, &ada, "m", 700).await;
        let history = |before: Option<u64>, after: Option<u64>| {
            let history = History {
                room: RoomSlug::lobby(),
                before: before.map(seq),
                after: after.map(seq),
            };
            hub.ask(&Caller::NOBODY, history)
        };
        for (before, after, expected, more) in [
            (None, None, 651..701, true),
            (Some(651), None, 601..651, true),
            (Some(51), None, 1..51, false),
            (Some(1), None, 1..1, false),
            (None, Some(0), 1..501, true),
            (None, Some(200), 201..701, false),
            (None, Some(700), 1..1, false),
        ] {
            let found = match history(before, after).await.unwrap() {
                HistoryAnswer::Page(page) if after.is_none() => (posted(&page), page.more),
                HistoryAnswer::Events(stretch) if after.is_some() => (seqs(&stretch.events), stretch.more),
                other => panic!("before {before:?}, after {after:?}: {other:?}"),
            };
            assert_eq!(
                found,
                (expected.collect(), more),
                "before {before:?}, after {after:?}"
            );
        }
        let both = refusal(history(Some(5), Some(1)).await);
        assert_eq!(both.code, ErrorCode::BadRequest);
    })
    .await;
}

#[tokio::test]
async fn one_to_a_hundred_messages_at_a_time() {
    within(async {
        let (hub, _folder) = hub().await;
        let send = |count, room| {
            let messages = messages("m", count);
            let hub = hub.clone();
            async move { hub.ask(&caller(&person("Ada")), Send { room, messages }).await }
        };
        for count in [0, 101] {
            let refused = refusal(send(count, RoomSlug::lobby()).await);
            assert_eq!(refused.code, ErrorCode::BadRequest);
            assert!(refused.message.contains(&format!("not {count}")), "{refused}");
        }
        let receipts = send(100, RoomSlug::lobby()).await.unwrap().receipts;
        assert_eq!(receipts.len(), 100);
        let again = send(100, RoomSlug::lobby()).await.unwrap().receipts;
        assert_eq!(again, receipts);
        let refused = refusal(send(1, slug("nowhere")).await);
        assert_eq!(refused.code, ErrorCode::RoomNotFound);
    })
    .await;
}

/// Receives updates until the event with the seq `end`. Fails at a duplicate, and at a hole without a reset. Returns
/// the number of resets.
async fn hear_up_to(updates: &mut BoxStream<'static, RoomUpdate>, from: u64, end: u64) -> usize {
    let (mut last, mut resets) = (from, 0);
    while last < end {
        match updates.next().await {
            Some(RoomUpdate::Events(events)) => {
                for entry in events {
                    assert_eq!(entry.event.seq.get(), last + 1, "no hole, no duplicate");
                    last = entry.event.seq.get();
                }
            }
            Some(RoomUpdate::Reset(head)) => {
                assert!(
                    head.seq.get() > last + 5_000,
                    "a follower catches up with fewer events"
                );
                last = head.seq.get();
                resets += 1;
            }
            other => panic!("expected events, not {other:?}"),
        }
    }
    assert_eq!(last, end);
    resets
}

#[tokio::test(flavor = "multi_thread")]
async fn following_leaves_no_hole_without_a_reset() {
    within(async {
        let (hub, _folder) = hub().await;
        let (ada, lobby) = (person("Ada"), RoomSlug::lobby());
        send(&hub, &lobby, &ada, "before", 10).await;
        let mut updates = hub.follow(&lobby, None).await.unwrap().updates;
        send(&hub, &lobby, &ada, "quick", 100).await;
        assert_eq!(hear_up_to(&mut updates, 10, 110).await, 0);
        // More events than a follower's queue has room for, and then far more than it catches up with.
        send(&hub, &lobby, &ada, "slow", 3_000).await;
        assert_eq!(hear_up_to(&mut updates, 110, 3_110).await, 0);
        send(&hub, &lobby, &ada, "late", 12_000).await;
        assert_eq!(hear_up_to(&mut updates, 3_110, 15_110).await, 1);
        let writing = {
            let (hub, lobby, ada) = (hub.clone(), lobby.clone(), ada.clone());
            tokio::spawn(async move { send(&hub, &lobby, &ada, "beside", 3_000).await })
        };
        hear_up_to(&mut updates, 15_110, 18_110).await;
        writing.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn followers_learn_who_enters_and_leaves() {
    within(async {
        let (hub, _folder) = hub().await;
        let (ada, lobby) = (person("Ada"), RoomSlug::lobby());
        let mut updates = hub.follow(&lobby, None).await.unwrap().updates;
        join(&hub, &ada, None).await;
        let tab = ConnectionId("tab".into());
        let caller = Caller {
            connection: Some(&tab),
            ..caller(&ada)
        };
        hub.ask(&caller, Leave { room: lobby }).await.unwrap();
        for expected in [
            PresenceChange::Entered(ada.clone(), 1),
            PresenceChange::Left(ada.clone(), 0),
        ] {
            match updates.next().await {
                Some(RoomUpdate::Presence(change)) => assert_eq!(change, expected),
                other => panic!("expected {expected:?}, not {other:?}"),
            }
        }
        let missing = refusal(hub.follow(&slug("nowhere"), None).await);
        assert_eq!(missing.code, ErrorCode::RoomNotFound);
    })
    .await;
}

#[tokio::test]
async fn a_hub_opens_on_existing_data() {
    within(async {
        let (first, folder) = hub().await;
        send(&first, &RoomSlug::lobby(), &person("Ada"), "m", 3).await;
        drop(first);
        let hub = open(folder.path()).await;
        hub.check().await.unwrap();
        let joined = join(&hub, &person("Bob"), None).await;
        assert_eq!(latest(&joined), (vec![1, 2, 3], false));
        let again = Send {
            room: RoomSlug::lobby(),
            messages: vec![message("m-2", "again")],
        };
        let receipts = hub.ask(&caller(&person("Ada")), again).await.unwrap().receipts;
        assert_eq!(receipts[0].seq, seq(2));
    })
    .await;
}

#[tokio::test]
async fn messages_are_edited_deleted_and_reacted_to() {
    within(async {
        let (hub, _folder) = hub().await;
        let (ada, bob, room) = (person("Ada"), person("Bob"), RoomSlug::lobby());
        send(&hub, &room, &ada, "m", 2).await;
        let id = |id: &str| message(id, "x").client_id;
        let edit = |id_: &str, of: u64| Edit {
            room: RoomSlug::lobby(),
            client_id: id(id_),
            of: seq(of),
            epoch: None,
            text: message("x", "new").text,
        };
        let react = React {
            room: room.clone(),
            client_id: id("r"),
            to: seq(1),
            epoch: None,
            emoji: "👍".to_owned().try_into().unwrap(),
            on: true,
        };
        let receipt = hub.ask(&caller(&ada), edit("e", 1)).await.unwrap();
        assert_eq!((receipt.client_id, receipt.seq), (id("e"), seq(3)));
        assert_eq!(hub.ask(&caller(&ada), edit("e", 1)).await.unwrap().seq, seq(3));
        assert_eq!(hub.ask(&caller(&bob), react.clone()).await.unwrap().seq, seq(4));
        let delete = |of: u64| Delete {
            room: RoomSlug::lobby(),
            client_id: id("d"),
            of: seq(of),
            epoch: None,
        };
        assert_eq!(hub.ask(&caller(&ada), delete(2)).await.unwrap().seq, seq(5));
        let code = |refused: Refusal| refused.code;
        for (refused, expected) in [
            (
                refusal(hub.ask(&caller(&bob), edit("x", 1)).await),
                ErrorCode::Forbidden,
            ),
            (
                refusal(hub.ask(&caller(&bob), delete(1)).await),
                ErrorCode::Forbidden,
            ),
            (
                refusal(hub.ask(&caller(&ada), edit("x", 2)).await),
                ErrorCode::Gone,
            ),
            (
                refusal(hub.ask(&caller(&ada), edit("x", 4)).await),
                ErrorCode::NotFound,
            ),
            (
                refusal(hub.ask(&Caller::NOBODY, edit("x", 1)).await),
                ErrorCode::NotSignedIn,
            ),
            (
                refusal(hub.ask(&Caller::NOBODY, react).await),
                ErrorCode::NotSignedIn,
            ),
        ] {
            assert_eq!(code(refused), expected);
        }
        let joined = join(&hub, &bob, None).await;
        let page = joined.page.unwrap();
        assert_eq!(page.messages[0].text.as_str(), "new");
        assert_eq!(page.messages[0].reactions[0].by, [bob.id]);
        assert!(page.messages[1].deleted);
    })
    .await;
}

#[tokio::test]
async fn a_command_about_a_message_of_another_epoch_is_refused() {
    within(async {
        let (hub, _folder) = hub().await;
        let (ada, room) = (person("Ada"), RoomSlug::lobby());
        send(&hub, &room, &ada, "m", 1).await;
        let (id, of) = (|id: &str| message(id, "x").client_id, seq(1));
        let now = join(&hub, &ada, None).await.head.epoch;
        let other = Epoch::from_random(7);
        for (epoch, expected) in [(other, Err(ErrorCode::Gone)), (now, Ok(()))] {
            let (room, epoch) = (room.clone(), Some(epoch));
            let edit = Edit {
                room: room.clone(),
                client_id: id("e"),
                of,
                epoch: epoch.clone(),
                text: message("x", "new").text,
            };
            let react = React {
                room: room.clone(),
                client_id: id("r"),
                to: of,
                epoch: epoch.clone(),
                emoji: "👍".to_owned().try_into().unwrap(),
                on: true,
            };
            let reply = Outgoing {
                reply_to: Some(of),
                epoch: epoch.clone(),
                ..message("a", "yes")
            };
            let send = Send {
                room: room.clone(),
                messages: vec![reply],
            };
            let delete = Delete {
                room,
                client_id: id("d"),
                of,
                epoch,
            };
            let ada = caller(&ada);
            let answers = [
                hub.ask(&ada, edit).await.map(drop),
                hub.ask(&ada, react).await.map(drop),
                hub.ask(&ada, send).await.map(drop),
                hub.ask(&ada, delete).await.map(drop),
            ];
            for answer in answers {
                assert_eq!(answer.map_err(|error| Refusal::from(&error).code), expected);
            }
        }
        let mut plain = message("b", "not a reply");
        plain.epoch = Some(Epoch::from_random(7));
        let messages = vec![plain];
        hub.ask(&caller(&ada), Send { room, messages }).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn sends_that_come_together_are_refused_apart() {
    within(async {
        let (hub, _folder) = hub().await;
        let (ada, room) = (person("Ada"), RoomSlug::lobby());
        let sent = |id: &str, reply_to: Option<u64>| {
            let messages = vec![Outgoing {
                reply_to: reply_to.map(seq),
                ..message(id, "hello")
            }];
            let room = room.clone();
            hub.admit(&caller(&ada), Send { room, messages }).unwrap()
        };
        let together = SendTogether(vec![sent("a", None), sent("b", Some(99)), sent("c", None)]);
        let answers = hub.ask(&caller(&ada), together).await.unwrap();
        let [Ok(a), Err(b), Ok(c)] = &answers[..] else {
            panic!("the second is refused: {answers:?}");
        };
        assert_eq!((a.receipts[0].seq, c.receipts[0].seq), (seq(1), seq(2)));
        assert_eq!(Refusal::from(b).code, ErrorCode::NotFound);
        let together = SendTogether(vec![sent("d", Some(1)), sent("a", None)]);
        let answers = hub.ask(&caller(&ada), together).await.unwrap();
        let seqs: Vec<_> = answers
            .iter()
            .map(|answer| answer.as_ref().unwrap().receipts[0].seq)
            .collect();
        assert_eq!(seqs, [seq(3), seq(1)]);
    })
    .await;
}

/// A log whose appends fail once, when `fails` of them are left.
struct Stumbling {
    log: Arc<dyn RoomLog>,
    fails: AtomicI32,
}

#[async_trait]
impl RoomLog for Stumbling {
    async fn append(
        &self,
        room: &RoomSlug,
        by: &Person,
        deeds: Vec<NewDeed>,
        at: Timestamp,
    ) -> Result<Vec<Receipt>, StoreError> {
        if self.fails.fetch_sub(1, Ordering::Relaxed) == 0 {
            return Err(StoreError::failed("on purpose"));
        }
        self.log.append(room, by, deeds, at).await
    }

    async fn head(&self, room: &RoomSlug) -> Result<Position, StoreError> {
        self.log.head(room).await
    }

    async fn read(&self, room: &RoomSlug, after: Seq, limit: Limit) -> Result<Stretch, StoreError> {
        self.log.read(room, after, limit).await
    }

    async fn open(&self, room: &RoomSlug, before: Option<Seq>, limit: Limit) -> Result<Opened, StoreError> {
        self.log.open(room, before, limit).await
    }

    async fn follow(&self, room: &RoomSlug) -> Result<BoxStream<'static, Signal>, StoreError> {
        self.log.follow(room).await
    }
}

#[tokio::test]
async fn no_send_overtakes_one_that_failed() {
    within(async {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let stumbling = |log| {
            Arc::new(Stumbling {
                log,
                fails: AtomicI32::new(1),
            }) as Arc<dyn RoomLog>
        };
        let hub = open_on(folder.path(), stumbling).await;
        let (ada, room) = (person("Ada"), RoomSlug::lobby());
        let sent = |id: &str, reply_to: Option<u64>| {
            let messages = vec![Outgoing {
                reply_to: reply_to.map(seq),
                ..message(id, "hello")
            }];
            let room = room.clone();
            hub.admit(&caller(&ada), Send { room, messages }).unwrap()
        };
        // Together they do not fit. Then the first alone fails.
        let together = SendTogether(vec![sent("a", None), sent("b", None), sent("c", Some(99))]);
        let answers = hub.ask(&caller(&ada), together).await.unwrap();
        let codes: Vec<_> = answers
            .iter()
            .map(|answer| answer.as_ref().map_err(|error| Refusal::from(error).code))
            .collect();
        let [
            Err(ErrorCode::Unavailable),
            Err(ErrorCode::Busy),
            Err(ErrorCode::Busy),
        ] = codes[..]
        else {
            panic!("b would be before a: {codes:?}");
        };
    })
    .await;
}

#[tokio::test]
async fn a_room_gets_another_title_but_not_that_of_another_room() {
    within(async {
        let (hub, _folder) = hub().await;
        let ada = person("Ada");
        let create = |title| CreateRoom {
            title: room(1, "unused", title).title,
        };
        let night = hub.ask(&caller(&ada), create("Night shift")).await.unwrap().room;
        hub.ask(&caller(&ada), create("Day shift")).await.unwrap();
        let set = |id: &str, title: &str| SetTitle {
            room: night.clone(),
            client_id: message(id, "x").client_id,
            title: room(1, "unused", title).title,
        };
        assert_eq!(
            hub.ask(&caller(&ada), set("1", "Late shift")).await.unwrap().seq,
            seq(1)
        );
        let find = FindRoom { room: night.clone() };
        let found = hub.ask(&Caller::NOBODY, find).await.unwrap();
        assert_eq!(found.title.as_str(), "Late shift");
        let refused = refusal(hub.ask(&caller(&ada), set("2", "day SHIFT!")).await);
        assert_eq!(refused.code, ErrorCode::RoomExists);
        assert_eq!(
            hub.ask(&caller(&ada), set("3", "Night shift")).await.unwrap().seq,
            seq(2)
        );

        // A title is free again when its room has another one, also if it suggests no address.
        for title in ["Late shift", "!!!"] {
            let first = hub.ask(&caller(&ada), create(title)).await.unwrap().room;
            let rename = SetTitle {
                room: first.clone(),
                client_id: message("4", "x").client_id,
                title: room(1, "unused", &format!("Formerly {title} (it is {first})")).title,
            };
            hub.ask(&caller(&ada), rename).await.unwrap();
            let second = hub.ask(&caller(&ada), create(title)).await.unwrap().room;
            assert_eq!(second.as_str(), format!("{first}-2"));
        }
    })
    .await;
}
