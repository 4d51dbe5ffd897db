//! Tests of the timeline: events and pages in any order and overlap.

use super::*;
use crate::samples::{deleted, edited, epoch, page, page_of, posted, reacted, seq, timeline};

fn seqs(timeline: &Timeline) -> Vec<u64> {
    timeline
        .messages()
        .iter()
        .map(|message| message.seq.get())
        .collect()
}

fn texts(timeline: &Timeline) -> Vec<&str> {
    timeline
        .messages()
        .iter()
        .map(|message| message.text.as_str())
        .collect()
}

#[test]
fn the_next_event_a_duplicate_a_hole_and_another_epoch() {
    let mut timeline = timeline(1, 2);
    assert_eq!(
        timeline.apply(&posted(3, "ada")),
        Applied::Fresh(Change::Appended)
    );
    assert_eq!(timeline.apply(&posted(3, "ada")), Applied::Duplicate);
    assert_eq!(timeline.apply(&posted(1, "ada")), Applied::Duplicate);
    assert_eq!(timeline.apply(&posted(5, "ada")), Applied::Hole { after: seq(3) });
    let mut other = posted(4, "ada");
    other.epoch = epoch(2);
    assert_eq!(timeline.apply(&other), Applied::OtherEpoch);
    assert_eq!(seqs(&timeline), [1, 2, 3]);
    assert_eq!(timeline.position().seq, seq(3));
}

#[test]
fn an_event_changes_its_message_and_no_other() {
    let mut timeline = timeline(3, 5);
    assert_eq!(
        timeline.apply(&edited(6, 4, "new")),
        Applied::Fresh(Change::Changed(seq(4)))
    );
    assert_eq!(
        timeline.apply(&edited(7, 2, "older")),
        Applied::Fresh(Change::Nothing)
    );
    assert_eq!(
        timeline.apply(&deleted(8, 5)),
        Applied::Fresh(Change::Changed(seq(5)))
    );
    assert_eq!(
        timeline.apply(&posted(9, "ada")),
        Applied::Fresh(Change::Appended)
    );
    assert_eq!(texts(&timeline), ["text 3", "new", "", "text 9"]);
    assert_eq!(timeline.position().seq, seq(9));
    assert!(timeline.message(seq(5)).is_some_and(|message| message.deleted));
    assert!(timeline.message(seq(6)).is_none(), "an event, not a message");
}

#[test]
fn an_empty_room_starts_at_one() {
    let mut timeline = timeline(1, 0);
    assert_eq!(timeline.apply(&posted(2, "ada")), Applied::Hole { after: seq(0) });
    assert_eq!(
        timeline.apply(&posted(1, "ada")),
        Applied::Fresh(Change::Appended)
    );
}

#[test]
fn only_a_page_that_ends_where_the_timeline_begins_is_added() {
    let mut timeline = timeline(5, 6);
    let mut add = |page: MessagePage| {
        timeline.await_older();
        let added = timeline.prepend(page);
        (added, seqs(&timeline), timeline.more())
    };
    let of = |first, last| MessagePage {
        head: seq(6),
        ..page(first, last)
    };
    let unchanged = (Prepended::Misplaced, vec![5, 6], true);
    assert_eq!(add(of(1, 3)), unchanged, "a hole");
    assert_eq!(add(of(3, 5)), unchanged, "an overlap");
    let mut other = of(3, 4);
    other.covers.epoch = epoch(2);
    assert_eq!(add(other), unchanged, "another epoch");
    assert_eq!(add(of(3, 4)), (Prepended::Added, vec![3, 4, 5, 6], true));
    // The page's first events post no message.
    let mut rest = of(2, 2);
    (rest.covers.first, rest.more) = (seq(1), false);
    assert_eq!(add(rest), (Prepended::Added, vec![2, 3, 4, 5, 6], false));
    assert_eq!(timeline.prepend(of(1, 1)), Prepended::Misplaced, "nobody asked");
}

#[test]
fn changes_that_come_before_their_page_are_not_lost() {
    let mut timeline = timeline(5, 6);
    timeline.apply(&edited(7, 3, "before the request"));
    assert_eq!(timeline.await_older(), seq(5));
    timeline.apply(&edited(8, 3, "after it"));
    timeline.apply(&deleted(9, 4));
    let of = |head| MessagePage {
        head: seq(head),
        ..page(3, 4)
    };
    assert_eq!(
        timeline.clone().prepend(of(6)),
        Prepended::Stale,
        "it lacks event 7"
    );
    let mut newer = of(8);
    newer.messages[0].apply(&edited(7, 3, "before the request"));
    newer.messages[0].apply(&edited(8, 3, "after it"));
    for page in [of(7), newer] {
        let mut timeline = timeline.clone();
        assert_eq!(timeline.prepend(page), Prepended::Added);
        assert_eq!(texts(&timeline), ["after it", "", "text 5", "text 6"]);
    }
    timeline.forget_older();
    assert_eq!(timeline.prepend(of(9)), Prepended::Misplaced);
    timeline.await_older();
    for n in 10..=10 + KEPT as u64 {
        timeline.apply(&edited(n, 3, "a flood"));
    }
    assert_eq!(
        timeline.prepend(of(9)),
        Prepended::Stale,
        "more came than is kept"
    );
}

#[test]
fn the_timeline_is_bounded() {
    let mut timeline = timeline(1, 0);
    for n in 1..=TIMELINE_MESSAGES as u64 + 1 {
        assert_eq!(
            timeline.apply(&posted(n, "ada")),
            Applied::Fresh(Change::Appended)
        );
    }
    assert_eq!(timeline.messages().len(), TIMELINE_MESSAGES + 1 - DROPPED_AT_ONCE);
    assert!(timeline.more());
    assert_eq!(timeline.await_older(), seq(DROPPED_AT_ONCE as u64 + 1));
}

/// Random numbers that can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    /// A log of random deeds.
    fn log(&mut self, length: u64) -> Vec<LogEvent> {
        let event = |n: u64, random: &mut Self| {
            let about = random.below(n) + 1;
            match random.below(6) {
                0 | 1 => posted(n, "ada"),
                2 => edited(n, about, &format!("edit {n}")),
                3 if random.below(5) == 0 => deleted(n, about),
                _ => reacted(n, ["bob", "cleo"][random.below(2) as usize], about, "👍"),
            }
        };
        (1..=length).map(|n| event(n, self)).collect()
    }
}

/// A page as the server reads it at `head`: at most `limit` messages before `before`.
fn read(log: &[LogEvent], before: u64, head: u64, limit: usize) -> MessagePage {
    let mut page = page_of(1, before - 1, &log[..head as usize]);
    page.head = seq(head);
    page.messages.retain(|message| message.seq.get() < before);
    let surplus = page.messages.len().saturating_sub(limit);
    page.messages.drain(..surplus);
    page.more = surplus > 0;
    if page.more {
        page.covers.first = page.messages[0].seq;
    }
    page
}

#[test]
fn pages_and_events_in_any_overlap_give_the_fresh_state() {
    for seed in 0..2_000 {
        let mut random = Random(seed);
        let length = random.below(60) + 10;
        let log = random.log(length);
        let from = random.below(length - 4) + 2;
        let mut timeline = Timeline::new(read(&log, from + 1, from, random.below(5) as usize + 1));
        // The head at which the requested older page is read, and where it ends.
        let mut asked: Option<u64> = None;
        while timeline.position().seq.get() < length || timeline.more() {
            let at = timeline.position().seq.get();
            match random.below(4) {
                0 if asked.is_none() && timeline.more() => asked = Some(timeline.await_older().get()),
                1 if let Some(before) = asked.take() => {
                    // The server may be ahead of the client, or a little behind.
                    let head = (at + random.below(4)).saturating_sub(1).clamp(before, length);
                    let added = timeline.prepend(read(&log, before, head, random.below(4) as usize + 1));
                    assert_ne!(added, Prepended::Misplaced, "seed {seed}");
                }
                _ => {
                    // Duplicates come too.
                    let first = at.saturating_sub(random.below(4));
                    for event in log.iter().skip(first as usize).take(random.below(6) as usize + 1) {
                        assert!(!matches!(
                            timeline.apply(event),
                            Applied::Hole { .. } | Applied::OtherEpoch
                        ));
                    }
                }
            }
        }
        let fresh = read(&log, length + 1, length, usize::MAX);
        assert_eq!(timeline.messages(), fresh.messages, "seed {seed}");
    }
}
