//! [`Hub::follow`] over a log that signals what the test wants: doubles, holes, another epoch, no answer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chat::hub::Ports;
use chat::ports::{NewDeed, RoomLog, Signal};
use chat::{Entry, Fill, Hub, Limit, Opened, RoomUpdate, StoreError, Stretch};
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::future::poll_immediate;
use futures::stream::{BoxStream, StreamExt, pending};
use protocol::{Epoch, LogEvent, Person, Position, Receipt, RoomSlug, Seq, Timestamp};
use testkit::sample::{empty_room, message, person, posted, seq};
use testkit::{Silent, within};

/// What the log answers and signals.
struct Script {
    /// `None`: it does not answer.
    head: Mutex<Option<Position>>,
    signals: Mutex<Option<UnboundedReceiver<Signal>>>,
    /// The factor by which its events count as larger than they are.
    size: usize,
    /// How often it was read, and how often it was asked for its head.
    reads: AtomicUsize,
    heads: AtomicUsize,
}

fn epoch(n: u128) -> Epoch {
    Epoch::from_random(n)
}

fn event(incarnation: u128, n: u64) -> Arc<Entry> {
    event_at(Timestamp(1), incarnation, n)
}

fn event_at(at: Timestamp, incarnation: u128, n: u64) -> Arc<Entry> {
    let by = person("Ada");
    let event = LogEvent {
        room: RoomSlug::lobby(),
        epoch: epoch(incarnation),
        seq: seq(n),
        at,
        by: by.id.clone(),
        deed: posted(message(&format!("m-{n}"), "hello")),
    };
    Arc::new(Entry { event, by })
}

impl Script {
    /// Sets the log's head.
    fn set_head(&self, incarnation: u128, n: u64) {
        *self.head.lock().expect("no panic") = Some(head(incarnation, n));
    }

    fn stop_answering(&self) {
        self.head.lock().expect("no panic").take();
    }

    fn now(&self) -> Result<Position, StoreError> {
        let head = self.head.lock().expect("no panic").clone();
        head.ok_or_else(|| StoreError::failed("the script says so"))
    }
}

#[async_trait]
impl RoomLog for Script {
    async fn append(
        &self,
        _: &RoomSlug,
        _: &Person,
        _: Vec<NewDeed>,
        _: Timestamp,
    ) -> Result<Vec<Receipt>, StoreError> {
        Ok(vec![])
    }

    async fn head(&self, _: &RoomSlug) -> Result<Position, StoreError> {
        self.heads.fetch_add(1, Ordering::SeqCst);
        self.now()
    }

    async fn read(&self, _: &RoomSlug, after: Seq, limit: Limit) -> Result<Stretch, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let head = self.now()?;
        let (from, to) = (after.get() + 1, head.seq.get());
        // The script names epochs by number, and tests use only these two.
        let incarnation = if head.epoch == epoch(1) { 1 } else { 2 };
        let mut fill = Fill::new(limit);
        let events = (from..=to).map(|n| event(incarnation, n));
        let entries: Vec<_> = events
            .take_while(|event| fill.take(event.bytes() * self.size))
            .collect();
        let more = to.saturating_sub(after.get()) > entries.len() as u64;
        Ok(Stretch { head, entries, more })
    }

    async fn open(&self, room: &RoomSlug, _: Option<Seq>, _: Limit) -> Result<Opened, StoreError> {
        Ok(empty_room(room, self.now()?))
    }

    async fn follow(&self, _: &RoomSlug) -> Result<BoxStream<'static, Signal>, StoreError> {
        let signals = self.signals.lock().expect("no panic").take();
        Ok(signals.expect("followed once").boxed())
    }
}

/// Follows a log whose head is 5 in its first epoch.
async fn following_after(
    after: Option<Position>,
) -> (
    Arc<Script>,
    UnboundedSender<Signal>,
    BoxStream<'static, RoomUpdate>,
) {
    following_checked(after, pending().boxed()).await
}

/// As [`following_after`], and compares with the log's head at each of these checks.
async fn following_checked(
    after: Option<Position>,
    checks: BoxStream<'static, ()>,
) -> (
    Arc<Script>,
    UnboundedSender<Signal>,
    BoxStream<'static, RoomUpdate>,
) {
    let (signal, signals) = unbounded();
    let script = Arc::new(Script {
        head: Mutex::new(None),
        signals: Mutex::new(Some(signals)),
        size: 150,
        reads: AtomicUsize::new(0),
        heads: AtomicUsize::new(0),
    });
    script.set_head(1, 5);
    let ports = Ports {
        log: script.clone(),
        directory: Arc::new(Silent),
        accounts: Arc::new(Silent),
        presence: Arc::new(Silent),
        clock: Arc::new(Silent),
        ids: Arc::new(Silent),
    };
    let hub = Hub::open(ports).await.expect("the hub opens");
    let following = hub.follow_checked(&RoomSlug::lobby(), after, checks).await;
    (script, signal, following.expect("it can be followed").updates)
}

/// Follows from the head on.
async fn following() -> (
    Arc<Script>,
    UnboundedSender<Signal>,
    BoxStream<'static, RoomUpdate>,
) {
    following_after(None).await
}

fn head(incarnation: u128, n: u64) -> Position {
    Position {
        epoch: epoch(incarnation),
        seq: seq(n),
    }
}

fn tell(signal: &UnboundedSender<Signal>, what: Signal) {
    signal.unbounded_send(what).expect("a follower listens");
}

fn tell_event(signal: &UnboundedSender<Signal>, incarnation: u128, n: u64) {
    tell(signal, Signal::Event(event(incarnation, n)));
}

async fn hear(
    updates: &mut BoxStream<'static, RoomUpdate>,
    incarnation: u128,
    expected: std::ops::Range<u64>,
) {
    match updates.next().await {
        Some(RoomUpdate::Events(events)) => {
            let expected: Vec<_> = expected.map(|n| event(incarnation, n)).collect();
            assert_eq!(events, expected);
        }
        other => panic!("events {expected:?}, but: {other:?}"),
    }
}

async fn hear_reset(updates: &mut BoxStream<'static, RoomUpdate>) {
    let heard = updates.next().await;
    assert!(
        matches!(heard, Some(RoomUpdate::Reset(_))),
        "a reset, but: {heard:?}"
    );
}

#[tokio::test]
async fn a_repeated_event_is_told_once() {
    within(async {
        let (_script, signal, mut updates) = following().await;
        for n in [4, 5, 6, 6, 5, 7] {
            tell_event(&signal, 1, n);
        }
        hear(&mut updates, 1, 6..7).await;
        hear(&mut updates, 1, 7..8).await;
    })
    .await;
}

#[tokio::test]
async fn a_hole_is_filled_from_the_log() {
    within(async {
        let (script, signal, mut updates) = following().await;
        script.set_head(1, 9);
        tell_event(&signal, 1, 8);
        tell_event(&signal, 1, 9);
        tell_event(&signal, 1, 10);
        hear(&mut updates, 1, 6..10).await;
        hear(&mut updates, 1, 10..11).await;
    })
    .await;
}

#[tokio::test]
async fn a_gap_is_filled_from_the_log_stretch_by_stretch() {
    within(async {
        let (script, signal, mut updates) = following().await;
        tell(&signal, Signal::Gap);
        tell_event(&signal, 1, 6);
        hear(&mut updates, 1, 6..7).await;
        script.set_head(1, 4_006);
        tell(&signal, Signal::Gap);
        let mut next = 7;
        while next <= 4_006 {
            match updates.next().await {
                Some(RoomUpdate::Events(events)) => {
                    let bytes: usize = events.iter().map(|event| event.bytes() * 150).sum();
                    assert!(bytes <= protocol::limits::CATCH_UP_BYTES, "{bytes} bytes at once");
                    for told in events {
                        assert_eq!(told, event(1, next));
                        next += 1;
                    }
                }
                other => panic!("events, but: {other:?}"),
            }
        }
        tell_event(&signal, 1, 4_006);
        tell_event(&signal, 1, 4_007);
        hear(&mut updates, 1, 4_007..4_008).await;
    })
    .await;
}

#[tokio::test]
async fn a_gap_too_long_to_catch_up_with_is_a_reset() {
    within(async {
        let (script, signal, mut updates) = following().await;
        script.set_head(1, 10_505);
        tell(&signal, Signal::Gap);
        let heard = updates.next().await;
        assert!(matches!(heard, Some(RoomUpdate::Reset(now)) if now == head(1, 10_505)));
        tell_event(&signal, 1, 10_506);
        hear(&mut updates, 1, 10_506..10_507).await;
    })
    .await;
}

#[tokio::test]
async fn another_epoch_is_one_reset_however_it_is_noticed() {
    within(async {
        // Noticed by the signal, by an event, by reading after a gap, and by reading after a hole.
        let noticed: [&[Signal]; 4] = [
            &[Signal::NewEpoch, Signal::Event(event(2, 2))],
            &[Signal::Event(event(2, 2)), Signal::NewEpoch],
            &[Signal::Gap, Signal::NewEpoch],
            &[Signal::Event(event(1, 9)), Signal::NewEpoch],
        ];
        for signals in noticed {
            let (script, signal, mut updates) = following().await;
            script.set_head(2, 2);
            for told in signals {
                tell(&signal, told.clone());
            }
            tell_event(&signal, 2, 3);
            hear_reset(&mut updates).await;
            hear(&mut updates, 2, 3..4).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_log_that_went_back_is_a_reset() {
    within(async {
        let (script, signal, mut updates) = following().await;
        script.set_head(1, 3);
        tell(&signal, Signal::Gap);
        hear_reset(&mut updates).await;
        tell_event(&signal, 1, 4);
        hear(&mut updates, 1, 4..5).await;
    })
    .await;
}

#[tokio::test]
async fn a_log_that_does_not_answer_is_lost() {
    within(async {
        let (script, signal, mut updates) = following().await;
        script.stop_answering();
        tell(&signal, Signal::Gap);
        let heard = updates.next().await;
        assert!(matches!(heard, Some(RoomUpdate::Lost(_))), "lost, but: {heard:?}");
        let after = updates.next().await;
        assert!(after.is_none(), "the stream ends, but: {after:?}");
    })
    .await;
}

/// The next update of the log. Another test covers the roster.
async fn hear_log(updates: &mut BoxStream<'static, RoomUpdate>) -> Option<RoomUpdate> {
    loop {
        match updates.next().await {
            Some(RoomUpdate::Roster(_)) => {}
            heard => return heard,
        }
    }
}

#[tokio::test]
async fn following_again_continues_from_the_last_position() {
    within(async {
        let (_script, signal, mut updates) = following_after(Some(head(1, 2))).await;
        tell_event(&signal, 1, 6);
        for expected in [3..6, 6..7] {
            let expected: Vec<_> = expected.map(|n| event(1, n)).collect();
            match hear_log(&mut updates).await {
                Some(RoomUpdate::Events(events)) => assert_eq!(events, expected),
                other => panic!("{expected:?}, but: {other:?}"),
            }
        }
    })
    .await;
}

#[tokio::test]
async fn following_again_tells_the_roster() {
    within(async {
        let (_script, _signal, mut updates) = following_after(Some(head(1, 5))).await;
        let heard = updates.next().await;
        assert!(
            matches!(heard, Some(RoomUpdate::Roster(_))),
            "the roster, but: {heard:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn following_again_from_another_epoch_is_a_reset() {
    within(async {
        let (_script, _signal, mut updates) = following_after(Some(head(2, 5))).await;
        let heard = hear_log(&mut updates).await;
        assert!(matches!(heard, Some(RoomUpdate::Reset(now)) if now == head(1, 5)));
    })
    .await;
}

/// A follower that is checked whenever the test says so.
struct Checked {
    script: Arc<Script>,
    signal: UnboundedSender<Signal>,
    updates: BoxStream<'static, RoomUpdate>,
    checks: UnboundedSender<()>,
}

impl Checked {
    async fn new() -> Self {
        let (checks, times) = unbounded();
        let (script, signal, updates) = following_checked(None, times.boxed()).await;
        Self {
            script,
            signal,
            updates,
            checks,
        }
    }

    /// A check to which the follower has nothing to say.
    async fn quiet_check(&mut self) {
        let before = self.script.heads.load(Ordering::SeqCst);
        self.check();
        let heard = poll_immediate(self.updates.next()).await;
        assert!(heard.is_none(), "nothing, but: {heard:?}");
        assert_eq!(self.script.heads.load(Ordering::SeqCst), before + 1, "one check");
    }

    fn check(&self) {
        self.checks.unbounded_send(()).expect("a follower is checked");
    }

    fn reads(&self) -> usize {
        self.script.reads.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn an_event_that_the_bus_lost_is_read_at_the_second_check() {
    within(async {
        let mut checked = Checked::new().await;
        checked.script.set_head(1, 7);
        // It may still be on its way.
        checked.quiet_check().await;
        checked.check();
        hear(&mut checked.updates, 1, 6..8).await;
        let reads = checked.reads();
        checked.quiet_check().await;
        checked.quiet_check().await;
        assert_eq!(checked.reads(), reads, "nothing is missing any more");
    })
    .await;
}

#[tokio::test]
async fn an_event_on_its_way_is_not_read_from_the_log() {
    within(async {
        let mut checked = Checked::new().await;
        for n in 6..20 {
            checked.script.set_head(1, n);
            checked.quiet_check().await;
            tell_event(&checked.signal, 1, n);
            hear(&mut checked.updates, 1, n..n + 1).await;
        }
        assert_eq!(checked.reads(), 0);
    })
    .await;
}

#[tokio::test]
async fn another_epoch_is_noticed_at_a_check() {
    within(async {
        let mut checked = Checked::new().await;
        checked.script.set_head(2, 2);
        checked.check();
        hear_reset(&mut checked.updates).await;
        checked.quiet_check().await;
        tell_event(&checked.signal, 2, 3);
        hear(&mut checked.updates, 2, 3..4).await;
    })
    .await;
}

#[tokio::test]
async fn a_log_that_went_back_is_noticed_at_a_check() {
    within(async {
        let mut checked = Checked::new().await;
        checked.quiet_check().await;
        // A standby that lacked two events has taken over, and another one was stored.
        checked.script.set_head(1, 4);
        checked.check();
        hear_reset(&mut checked.updates).await;
        tell_event(&checked.signal, 1, 5);
        hear(&mut checked.updates, 1, 5..6).await;
        checked.script.set_head(1, 5);
        checked.quiet_check().await;
        checked.quiet_check().await;
        // Now it lacks what was told after the last check.
        tell_event(&checked.signal, 1, 6);
        hear(&mut checked.updates, 1, 6..7).await;
        checked.quiet_check().await;
        checked.check();
        hear_reset(&mut checked.updates).await;
    })
    .await;
}

#[tokio::test]
async fn a_log_that_went_back_and_is_as_far_again_is_noticed() {
    within(async {
        let (script, signal, mut updates) = following().await;
        for n in 6..=8 {
            tell_event(&signal, 1, n);
            hear(&mut updates, 1, n..n + 1).await;
        }
        let later = |n| Signal::Event(event_at(Timestamp(2), 1, n));
        script.set_head(1, 9);
        for n in 7..=9 {
            tell(&signal, later(n));
        }
        hear_reset(&mut updates).await;
        script.set_head(1, 10);
        tell_event(&signal, 1, 10);
        hear(&mut updates, 1, 10..11).await;
    })
    .await;
}

#[tokio::test]
async fn a_check_without_an_answer_is_left_out() {
    within(async {
        let mut checked = Checked::new().await;
        checked.script.stop_answering();
        checked.quiet_check().await;
        checked.quiet_check().await;
        checked.script.set_head(1, 6);
        tell_event(&checked.signal, 1, 6);
        hear(&mut checked.updates, 1, 6..7).await;
    })
    .await;
}

#[tokio::test]
async fn events_in_another_order_are_read_once_for_each_inversion() {
    within(async {
        let (script, signal, mut updates) = following().await;
        for first in (6..206).step_by(2) {
            script.set_head(1, first + 1);
            tell_event(&signal, 1, first + 1);
            tell_event(&signal, 1, first);
            hear(&mut updates, 1, first..first + 2).await;
        }
        assert_eq!(
            script.reads.load(Ordering::SeqCst),
            100,
            "the late event is a repeated one"
        );
        // Behind the log's head, everything that comes is known.
        script.set_head(1, 209);
        for n in (206..=209).rev() {
            tell_event(&signal, 1, n);
        }
        hear(&mut updates, 1, 206..210).await;
        assert!(poll_immediate(updates.next()).await.is_none());
        assert_eq!(script.reads.load(Ordering::SeqCst), 101);
    })
    .await;
}
