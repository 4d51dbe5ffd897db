//! The checker accepts what is right, and names everything that is wrong.

use super::*;
use crate::sample;

fn position(epoch: u128, n: u64) -> RoomPosition {
    RoomPosition {
        room: RoomSlug::lobby(),
        epoch: Epoch::from_random(epoch),
        seq: sample::seq(n),
    }
}

fn id(name: &str) -> ClientId {
    sample::message(name, "text").client_id
}

fn sender(names: &[&str]) -> Sender {
    Sender {
        name: "Ada".to_owned(),
        sent: names.iter().map(|name| id(name)).collect(),
        ..Sender::default()
    }
}

/// The same, with every message acknowledged, at 1, 2, 3 …
fn promised(names: &[&str]) -> Sender {
    let acknowledged = names.iter().zip(1..).map(|(name, n)| (id(name), position(1, n)));
    Sender {
        acknowledged: acknowledged.collect(),
        ..sender(names)
    }
}

fn shown(epoch: u128, messages: &[(u64, &str)]) -> Vec<Shown> {
    let shown = |(n, name): &(u64, &str)| Shown {
        position: position(epoch, *n),
        client_id: id(name),
    };
    messages.iter().map(shown).collect()
}

fn receiver(name: &str, messages: &[(u64, &str)]) -> Receiver {
    Receiver {
        name: name.to_owned(),
        shown: shown(1, messages),
        from_start: true,
        to_end: true,
    }
}

const ALL: &[(u64, &str)] = &[(1, "a"), (2, "b"), (3, "c")];

#[test]
fn a_right_story_has_no_violations() {
    let late = Receiver {
        from_start: false,
        ..receiver("late", &ALL[1..])
    };
    let gone = Receiver {
        to_end: false,
        ..receiver("gone", &ALL[..2])
    };
    let receivers = [receiver("whole", ALL), late, gone];
    assert_eq!(check(&[promised(&["a", "b", "c"])], &receivers), []);
}

#[test]
fn a_lost_message_is_missing_at_the_end_and_a_hole_in_the_middle() {
    let found = check(
        &[promised(&["a", "b", "c"])],
        &[receiver("all", ALL), receiver("Bob", &ALL[..2])],
    );
    assert_eq!(
        found,
        [Violation::Missing {
            receiver: "Bob".to_owned(),
            client_id: id("c"),
            position: position(1, 3)
        }]
    );
    let found = check(
        &[promised(&["a", "b", "c"])],
        &[receiver("Bob", &[(1, "a"), (3, "c")])],
    );
    assert!(matches!(
        found[..],
        [Violation::Hole { .. }, Violation::Missing { .. }]
    ));
    let found = check(&[promised(&["a"])], &[receiver("Bob", &[])]);
    assert!(matches!(found[..], [Violation::Missing { .. }]));
}

#[test]
fn a_message_is_doubled_at_one_position_or_at_two() {
    let again = receiver("Bob", &[(1, "a"), (1, "a"), (2, "b")]);
    let found = check(&[promised(&["a", "b"])], &[again]);
    assert!(matches!(
        found[..],
        [Violation::Doubled { .. }, Violation::Backwards { .. }]
    ));
    let stored_twice = receiver("Bob", &[(1, "a"), (2, "a")]);
    let found = check(&[promised(&["a"])], &[stored_twice]);
    assert!(matches!(
        found[..],
        [Violation::AtTwoPositions { .. }, Violation::Doubled { .. }]
    ));
}

#[test]
fn swapped_messages_of_one_sender_are_overtaken() {
    let swapped = receiver("Bob", &[(1, "b"), (2, "a")]);
    let found = check(&[sender(&["a", "b"])], std::slice::from_ref(&swapped));
    assert_eq!(
        found.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["Ada sent a before b, but they are at 2 and 1"]
    );
    let again = Sender {
        again: [id("a")].into(),
        ..sender(&["a", "b"])
    };
    assert_eq!(
        check(&[again], &[swapped]),
        [],
        "a was refused first and sent again later"
    );
}

#[test]
fn messages_shown_in_the_wrong_order_are_found() {
    let found = check(&[sender(&["a", "b"])], &[receiver("Bob", &[(2, "b"), (1, "a")])]);
    assert!(matches!(
        found[..],
        [Violation::Hole { .. }, Violation::Backwards { .. }]
    ));
}

#[test]
fn receivers_and_receipts_agree_about_every_position() {
    let found = check(&[], &[receiver("Bob", &[(1, "a")]), receiver("Eve", &[(1, "b")])]);
    assert!(matches!(found[..], [Violation::TwoAtOnePosition { .. }]));
    let found = check(&[promised(&["a"])], &[receiver("Bob", &[(1, "b"), (2, "a")])]);
    assert!(matches!(found[..], [Violation::OtherReceipt { .. }]));
}

#[test]
fn another_epoch_is_another_log() {
    let mut bob = receiver("Bob", &[(1, "a"), (2, "b")]);
    bob.shown.extend(shown(2, &[(1, "c"), (2, "b")]));
    let ada =
        promised(&["a", "b", "lost with the first epoch"].map(|name| name.split(' ').next().unwrap_or(name)));
    assert_eq!(check(&[ada], &[bob]), []);
}

#[test]
fn the_tally_names_each_message_once() {
    let receivers = [
        receiver("all", ALL),
        receiver("Bob", &ALL[..2]),
        receiver("Eve", &ALL[..2]),
    ];
    let tally = Tally::of(&check(&[promised(&["a", "b", "c"])], &receivers));
    assert_eq!(tally.lost, ["c".to_owned()].into());
    assert_eq!(
        (
            tally.doubled.len(),
            tally.out_of_order.len(),
            tally.sentences.len()
        ),
        (0, 0, 2)
    );
}

fn showing(name: &str, messages: &[&str]) -> Showing {
    Showing {
        name: name.to_owned(),
        shown: messages.iter().map(|name| id(name)).collect(),
    }
}

/// The numbers of lost, doubled, out-of-order and disagreed messages.
fn without_numbers(showings: &[Showing]) -> [usize; 4] {
    let ada = promised(&["a", "b"]);
    let bob = Sender {
        name: "Bob".to_owned(),
        ..promised(&["x"])
    };
    let tally = check_unnumbered(&[ada, bob], showings);
    let sets = [tally.lost, tally.doubled, tally.out_of_order, tally.disagreed];
    sets.map(|set| set.len())
}

#[test]
fn without_numbers_the_order_of_each_receiver_counts() {
    let one = showing("one", &["a", "b", "x"]);
    let found = |other: &[&str]| without_numbers(&[one.clone(), showing("two", other)]);
    assert_eq!(found(&["a", "b", "x"]), [0, 0, 0, 0]);
    assert_eq!(found(&["a", "x"]), [1, 0, 0, 0]);
    assert_eq!(found(&["a", "b", "x", "a"]), [0, 1, 0, 0]);
    assert_eq!(found(&["b", "a", "x"]), [0, 0, 1, 1]);
    assert_eq!(
        found(&["x", "a", "b"]),
        [0, 0, 0, 2],
        "each sender's own order is kept, but the two receivers disagree"
    );
}
