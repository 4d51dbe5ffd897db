//! The room with a server that answers late, twice, out of order, or not at all.

use protocol::{
    Deed, Emoji, ErrorCode, EventStretch, Joined, LogEvent, Message, MessagePage, Position, PresenceList,
    Receipt, Refusal, RoomSlug, RosterUpdate, Timestamp,
};

use super::*;
use crate::outbox::SendState;
use crate::samples::{
    deleted, edited, epoch, event, id, packet, page, page_of, people, person, posted, reacted, seq, text,
};

fn head(n: u64) -> Position {
    Position {
        epoch: epoch(1),
        seq: seq(n),
    }
}

fn messages(range: std::ops::RangeInclusive<u64>) -> Vec<LogEvent> {
    range.map(|n| posted(n, "ada")).collect()
}

/// A client whose page shows messages 1 to `last`.
fn client(last: u64) -> RoomClient {
    client_with(page(1, last))
}

fn client_with(page: MessagePage) -> RoomClient {
    RoomClient::new(
        RoomSlug::lobby(),
        "Lobby".to_owned().try_into().unwrap(),
        Some(person("you")),
        page,
        PresenceList::default(),
        str::to_lowercase,
    )
}

/// An answer with the events that were missed.
fn joined(events: Vec<LogEvent>, last: u64) -> Joined {
    Joined {
        room: RoomSlug::lobby(),
        title: "Lobby".to_owned().try_into().unwrap(),
        head: head(last),
        page: None,
        people: people(&events),
        events,
        more: false,
        roster: PresenceList::default(),
    }
}

/// An answer with the latest messages.
fn joined_afresh(page: MessagePage) -> Joined {
    let mut joined = joined(vec![], page.head.get());
    joined.head.epoch = page.covers.epoch.clone();
    joined.page = Some(page);
    joined
}

/// Like [`client`], but connected and live.
fn live(last: u64) -> RoomClient {
    let mut client = client(last);
    client.connected();
    let of = client.generation();
    client.joined(of, Ok(joined(vec![], last)), 0);
    client
}

fn shown(client: &RoomClient) -> Vec<String> {
    let sent = client.shown().iter().map(|message| message.text.to_string());
    let unsent = client.unsent().into_iter().flat_map(Outbox::items);
    let unsent = unsent.filter(|item| item.deed.about().is_none());
    let unsent = unsent.map(|item| match &item.state {
        SendState::Failed(failed) => format!("{}! {}", item.text().unwrap(), failed.why),
        _ => format!("{}…", item.text().unwrap()),
    });
    sent.chain(unsent).collect()
}

fn texts(range: std::ops::RangeInclusive<u64>) -> Vec<String> {
    range.map(|n| format!("text {n}")).collect()
}

fn batches(effects: &[Effect]) -> Vec<Vec<&str>> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Write(Command::Send(send)) => Some(
                send.messages
                    .iter()
                    .map(|message| message.client_id.as_str())
                    .collect(),
            ),
            _ => None,
        })
        .collect()
}

fn asked_after(effects: &[Effect]) -> Option<u64> {
    effects.iter().find_map(|effect| match effect {
        Effect::Newer(history) => history.after.map(|after| after.get()),
        _ => None,
    })
}

fn rejoins_afresh(effects: &[Effect]) -> bool {
    effects
        .iter()
        .any(|effect| matches!(effect, Effect::Join(join) if join.from.is_none()))
}

fn own(n: u64, name: &str) -> LogEvent {
    let deed = Deed::Posted {
        client_id: id(name),
        text: text(name),
        reply_to: None,
    };
    event(n, "you", deed)
}

fn receipts(pairs: &[(&str, u64)]) -> Vec<Receipt> {
    pairs
        .iter()
        .map(|(name, n)| Receipt {
            client_id: id(name),
            epoch: epoch(1),
            seq: seq(*n),
        })
        .collect()
}

fn stretch(range: std::ops::RangeInclusive<u64>, more: bool) -> EventStretch {
    let events = messages(range);
    EventStretch {
        epoch: epoch(1),
        people: people(&events),
        events,
        more,
    }
}

#[test]
fn events_before_the_answer_to_join_wait_for_it() {
    let mut client = client(2);
    let effects = client.connected();
    assert!(matches!(&effects[..], [Effect::Join(join)] if join.from == Some(head(2))));
    client.events(packet(messages(4..=5)), 0);
    assert_eq!(shown(&client), texts(1..=2));
    let of = client.generation();
    client.joined(of, Ok(joined(messages(3..=4), 4)), 0);
    assert_eq!(shown(&client), texts(1..=5));
}

#[test]
fn a_hole_is_filled_before_anything_after_it_is_shown() {
    let mut client = live(2);
    let effects = client.events(packet(messages(6..=6)), 0);
    assert_eq!(asked_after(&effects), Some(2));
    client.events(packet(messages(7..=7)), 0);
    assert_eq!(shown(&client), texts(1..=2));
    let of = client.generation();
    let effects = client.newer(of, Ok(stretch(3..=4, true)), 0);
    assert_eq!(asked_after(&effects), Some(4), "there is more");
    client.newer(of, Ok(stretch(5..=6, false)), 0);
    assert_eq!(shown(&client), texts(1..=7));
}

#[test]
fn another_epoch_is_never_mixed_with_this_one() {
    let mut client = live(2);
    let reborn = |n| LogEvent {
        epoch: epoch(2),
        ..posted(n, "ada")
    };
    assert!(rejoins_afresh(&client.events(packet(vec![reborn(3)]), 0)));
    assert_eq!(shown(&client), texts(1..=2));
    let mut afresh = page_of(1, 1, &[reborn(1)]);
    afresh.covers.epoch = epoch(2);
    let answer = joined_afresh(afresh);
    let of = client.generation();
    client.events(packet(vec![reborn(2)]), 0);
    let effects = client.joined(of, Ok(answer), 0);
    assert_eq!(shown(&client), texts(1..=1));
    assert_eq!(asked_after(&effects), Some(1), "3 was held and 2 is missing");
}

#[test]
fn after_too_long_an_absence_the_timeline_is_replaced() {
    let mut client = client(2);
    client.connected();
    let of = client.generation();
    client.joined(of, Ok(joined_afresh(page(900, 950))), 0);
    assert_eq!(shown(&client), texts(900..=950));
    assert_eq!(client.older_state(), Older::More);
}

#[test]
fn reset_joins_again_without_a_position() {
    let mut client = live(2);
    assert!(rejoins_afresh(&client.reset()));
    assert!(client.reset().is_empty(), "once is enough");
}

#[test]
fn a_reset_before_the_answer_to_join_invalidates_the_answer() {
    let mut client = client(2);
    client.connected();
    assert!(client.reset().is_empty(), "one join at a time");
    let of = client.generation();
    let old = joined(messages(3..=4), 4);
    assert!(rejoins_afresh(&client.joined(of, Ok(old), 0)));
    client.joined(of, Ok(joined_afresh(page(1, 1))), 0);
    assert_eq!(shown(&client), texts(1..=1));
}

#[test]
fn events_of_an_earlier_epoch_do_not_invalidate_the_answer_to_join() {
    let mut client = client(3);
    client.connected();
    let old = LogEvent {
        epoch: epoch(2),
        ..posted(1, "ada")
    };
    assert!(client.events(packet(vec![old]), 0).is_empty());
    let mut fresh = page(1, 0);
    fresh.covers.epoch = epoch(3);
    let of = client.generation();
    let effects = client.joined(of, Ok(joined_afresh(fresh)), 0);
    assert!(!rejoins_afresh(&effects), "or it would join for ever");
    assert_eq!(client.timeline().position().epoch, epoch(3));
}

#[test]
fn answers_from_an_earlier_connection_are_ignored() {
    let mut client = client(2);
    client.connected();
    let old = client.generation();
    client.disconnected();
    client.connected();
    assert!(
        client
            .joined(old, Ok(joined_afresh(page(900, 950))), 0)
            .is_empty()
    );
    assert_eq!(shown(&client), texts(1..=2));
}

#[test]
fn one_send_is_in_flight_and_the_next_waits() {
    let mut client = live(0);
    assert_eq!(batches(&client.say(id("a"), text("a"), 0).unwrap()), [["a"]]);
    assert!(batches(&client.say(id("b"), text("b"), 0).unwrap()).is_empty());
    assert_eq!(shown(&client), ["a…", "b…"]);
    let of = client.generation();
    let effects = client.stored(of, Ok(receipts(&[("a", 1)])), 0);
    assert_eq!(batches(&effects), [["b"]]);
    client.events(packet(vec![own(1, "a")]), 0);
    assert_eq!(shown(&client), ["a", "b…"]);
    client.events(packet(vec![own(2, "b")]), 0);
    assert_eq!(shown(&client), ["a", "b"], "the event came before the ack");
    client.stored(of, Ok(receipts(&[("b", 2)])), 0);
    assert_eq!(shown(&client), ["a", "b"]);
}

#[test]
fn after_a_loss_unacknowledged_messages_are_sent_again_once_joined() {
    let mut client = live(0);
    client.say(id("a"), text("a"), 0).unwrap();
    client.disconnected();
    assert!(
        client.say(id("b"), text("b"), 0).unwrap().is_empty(),
        "offline it waits"
    );
    client.connected();
    let of = client.generation();
    let effects = client.joined(of, Ok(joined(vec![own(1, "a")], 1)), 0);
    assert_eq!(batches(&effects), [["b"]], "a had been stored");
    assert_eq!(shown(&client), ["a", "b…"]);
}

#[test]
fn a_refusal_with_a_hint_sends_the_same_batch_after_it() {
    let mut client = live(0);
    client.say(id("a"), text("a"), 0).unwrap();
    let of = client.generation();
    let slow = Refusal::new(ErrorCode::RateLimited, "slow down").retry_after_ms(250);
    let effects = client.stored(of, Err(Failure::Refused(slow)), 100);
    // A little later than asked, so that clients do not return together.
    let [Effect::Wake(wait @ 250..375)] = effects[..] else {
        panic!("{effects:?}");
    };
    assert!(batches(&client.tick(99 + wait)).is_empty());
    assert_eq!(batches(&client.tick(100 + wait)), [["a"]]);
}

#[test]
fn a_permanent_refusal_shows_its_reason_and_can_be_retried() {
    let mut client = live(0);
    client.say(id("a"), text("a"), 0).unwrap();
    let of = client.generation();
    client.stored(
        of,
        Err(Failure::Refused(Refusal::new(ErrorCode::Internal, "a fault"))),
        0,
    );
    assert_eq!(shown(&client), ["a! A fault."]);
    assert_eq!(batches(&client.retry(&id("a"), 0)), [["a"]]);
    client.stored(of, Err(Failure::Unknown), 0);
    assert_eq!(shown(&client), ["a…"], "no answer is not a refusal");
}

#[test]
fn a_stored_message_that_does_not_appear_is_looked_for() {
    let mut client = live(0);
    client.say(id("a"), text("a"), 0).unwrap();
    let of = client.generation();
    client.stored(of, Ok(receipts(&[("a", 1)])), 0);
    assert_eq!(asked_after(&client.tick(EVENT_DUE_MS)), Some(0));
    let found = EventStretch {
        events: vec![own(1, "a")],
        ..stretch(1..=1, false)
    };
    client.newer(of, Ok(found), EVENT_DUE_MS);
    assert_eq!(shown(&client), ["a"]);
    assert!(
        client.tick(10 * EVENT_DUE_MS).is_empty(),
        "and then nothing more is due"
    );
}

#[test]
fn older_messages_are_requested_once_and_put_in_front() {
    let mut client = client_with(page(7, 9));
    assert!(client.want_older().is_empty(), "not before there is a connection");
    client.connected();
    let of = client.generation();
    let effects = client.joined(of, Ok(joined(vec![], 9)), 0);
    let older = |effect: &Effect| matches!(effect, Effect::Older(history) if history.before == Some(seq(7)));
    assert!(effects.iter().any(older), "but as soon as there is one");
    assert!(client.want_older().is_empty());
    let of_six = |head| MessagePage {
        head: seq(head),
        ..page(4, 6)
    };
    let again = client.older(of, Ok(of_six(8)));
    assert!(
        again.iter().any(older),
        "a page from before the client's position"
    );
    client.older(of, Ok(of_six(9)));
    assert_eq!(shown(&client), texts(4..=9));
    assert_eq!(client.older_state(), Older::More);
}

#[test]
fn typing_is_repeated_and_ended() {
    let mut client = live(0);
    let says = |effects: &[Effect]| -> Vec<bool> {
        effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Typing(typing) => Some(typing.typing),
                _ => None,
            })
            .collect()
    };
    assert_eq!(says(&client.typed(false, 0)), [true]);
    assert!(says(&client.typed(false, 1_000)).is_empty());
    assert_eq!(says(&client.typed(false, 3_000)), [true]);
    assert!(says(&client.tick(6_999)).is_empty());
    assert_eq!(says(&client.tick(7_000)), [false]);
    assert_eq!(says(&client.typed(false, 8_000)), [true]);
    assert_eq!(says(&client.typed(true, 8_100)), [false], "an empty box");
}

#[test]
fn presence_before_the_answer_to_join_is_applied_after_it() {
    let mut client = client(0);
    client.connected();
    client.presence(PresenceUpdate {
        room: RoomSlug::lobby(),
        entered: vec![person("bob")],
        left: vec![],
        here: 2,
    });
    let of = client.generation();
    client.joined(of, Ok(joined(vec![], 0)), 0);
    assert_eq!(client.roster().list().here, 2);
    assert!(matches!(client.roster().notes(), [note] if note.person == person("bob") && note.entered));
}

fn whole_roster(names: &[&str]) -> RosterUpdate {
    RosterUpdate {
        room: RoomSlug::lobby(),
        roster: PresenceList {
            people: names.iter().map(|name| person(name)).collect(),
            here: names.len() as u32,
            stale: false,
        },
    }
}

#[test]
fn a_roster_from_before_a_refused_join_does_not_replace_the_answers() {
    let mut client = live(0);
    client.connected();
    client.whole_roster(whole_roster(&["you"]));
    let of = client.generation();
    let refused = Refusal::new(ErrorCode::Unavailable, "away").retry_after_ms(500);
    client.joined(of, Err(Failure::Refused(refused)), 0);
    let effects = client.tick(2_000);
    assert!(matches!(effects.first(), Some(Effect::Join(_))), "{effects:?}");
    let answer = Joined {
        roster: whole_roster(&["ada", "you"]).roster,
        ..joined(vec![], 0)
    };
    client.joined(of, Ok(answer), 2_000);
    assert_eq!(client.roster().list().people, ["ada", "you"].map(person));
}

#[test]
fn a_whole_roster_replaces_the_known_one() {
    let mut client = live(0);
    client.whole_roster(whole_roster(&["ada", "bob", "you"]));
    assert_eq!(client.roster().list().here, 3);
    client.connected();
    client.whole_roster(whole_roster(&["ada", "you"]));
    client.presence(PresenceUpdate {
        room: RoomSlug::lobby(),
        entered: vec![person("cleo")],
        left: vec![],
        here: 3,
    });
    let of = client.generation();
    client.joined(of, Ok(joined(vec![], 0)), 0);
    let here = &client.roster().list().people;
    assert_eq!(here, &["ada", "cleo", "you"].map(person));
}

#[test]
fn more_live_events_than_are_held_are_read_from_the_log() {
    let mut client = client(0);
    client.connected();
    client.events(packet(messages(1..=HELD as u64 + 10)), 0);
    let of = client.generation();
    let effects = client.joined(of, Ok(joined(vec![], 0)), 0);
    assert_eq!(asked_after(&effects), Some(HELD as u64));
}

#[test]
fn news_is_a_message_of_another_person() {
    let mut client = live(0);
    let effects = client.events(packet(vec![own(1, "a"), posted(2, "ada")]), 0);
    assert!(
        matches!(&effects[..], [Effect::News(who, what)] if *who == person("ada") && *what == text("text 2"))
    );
}

#[test]
fn a_message_that_was_deleted_meanwhile_is_no_news() {
    let mut client = live(3);
    let mut gone = posted(4, "ada");
    gone.deed = gone.deed.without_text();
    let effects = client.events(packet(vec![gone, deleted(5, 4)]), 0);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::News(..))));
    assert!(client.timeline().messages()[3].deleted);
}

#[test]
fn an_event_that_comes_before_its_acknowledgement_does_not_answer_the_send() {
    let mut client = live(0);
    assert_eq!(batches(&client.say(id("a"), text("a"), 0).unwrap()), [["a"]]);
    client.events(packet(vec![own(1, "a")]), 0);
    assert!(
        batches(&client.say(id("b"), text("b"), 0).unwrap()).is_empty(),
        "the outstanding answer would be taken for this one's"
    );
    let of = client.generation();
    let effects = client.stored(of, Ok(receipts(&[("a", 1)])), 0);
    assert_eq!(batches(&effects), [["b"]]);
}

#[test]
fn stored_messages_are_sent_before_new_ones() {
    let mut client = live(2);
    client.events(packet(vec![posted(3, "you")]), 10);
    client.await_outbox();
    assert!(
        batches(&client.say(id("new"), text("new"), 50).unwrap()).is_empty(),
        "not yet"
    );
    let kept = |name: &str, order| {
        let pending = Pending {
            client_id: id(name),
            deed: Deed::Posted {
                client_id: id(name),
                text: text(name),
                reply_to: None,
            },
            epoch: None,
            at: Timestamp(order),
            order,
            state: SendState::Waiting,
        };
        (pending, true)
    };
    // One of them is in the room already: its tab closed before the acknowledgement.
    let effects = client.restore(vec![kept("c3", 10), kept("old", 20)], 60);
    assert_eq!(batches(&effects), [["old", "new"]]);
    assert_eq!(shown(&client)[3..], ["old…", "new…"]);
}

#[test]
fn own_changes_are_shown_before_they_are_stored() {
    let mut client = live(2);
    let edit = |name: &str| Deed::Edited {
        client_id: id(name),
        of: seq(1),
        text: text(name),
    };
    let react = Deed::Reacted {
        client_id: id("r"),
        to: seq(1),
        emoji: Emoji::try_from("👍".to_owned()).unwrap(),
        on: true,
    };
    let first = client.shown()[0].clone();
    assert!(client.expected(&first).is_none());
    let effects = client.act(edit("new"), 5).unwrap();
    assert!(matches!(&effects[..], [Effect::Write(Command::Act(deed, Some(_)))] if *deed == edit("new")));
    assert!(client.act(react, 6).unwrap().is_empty(), "one at a time");
    let (message, state) = client.expected(&first).unwrap();
    assert_eq!((message.text.as_str(), message.reactions.len()), ("new", 1));
    assert_eq!(*state, SendState::Waiting, "of the last one");
    assert_eq!(shown(&client), texts(1..=2), "the log has neither");
    let of = client.generation();
    let effects = client.stored(of, Ok(receipts(&[("new", 3)])), 10);
    assert!(matches!(
        &effects[..],
        [Effect::Write(Command::Act(Deed::Reacted { .. }, _)), ..]
    ));
    let mut stored = edited(3, 1, "new");
    stored.by = person("you").id;
    client.events(packet(vec![stored]), 11);
    assert_eq!(shown(&client), ["new", "text 2"]);
    let mut stored = reacted(4, "you", 1, "👍");
    stored.deed = match stored.deed {
        Deed::Reacted { to, emoji, on, .. } => Deed::Reacted {
            client_id: id("r"),
            to,
            emoji,
            on,
        },
        other => other,
    };
    client.events(packet(vec![stored]), 12);
    let first: Message = client.shown()[0].clone();
    assert!(client.expected(&first).is_none() && first.reactions.len() == 1);
}

#[test]
fn a_title_and_names_come_with_the_events() {
    let mut client = live(1);
    let titled = Deed::Titled {
        client_id: id("t"),
        title: "Day shift".to_owned().try_into().unwrap(),
    };
    let mut told = packet(vec![event(2, "bob", titled), posted(3, "cleo")]);
    told.people[1].name = person("Cleopatra").name;
    client.events(told, 0);
    assert_eq!(client.title().as_str(), "Day shift");
    assert_eq!(client.person(&person("cleo").id).name.as_str(), "Cleopatra");
}
