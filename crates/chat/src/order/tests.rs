//! Interleavings of what several replicas publish.

use protocol::{
    ClientId, Deed, DisplayName, Epoch, LogEvent, MessageText, Person, PersonId, RoomSlug, Timestamp,
};

use super::*;

fn position(epoch: u128, seq: u64) -> Position {
    Position {
        epoch: Epoch::from_random(epoch),
        seq: Seq::try_from(seq).unwrap(),
    }
}

fn event_with(epoch: u128, seq: u64, text: &str) -> Arc<Entry> {
    let Position { epoch, seq } = position(epoch, seq);
    let by = Person {
        id: PersonId::from_random(1),
        name: DisplayName::try_from("Ada".to_owned()).unwrap(),
    };
    let event = LogEvent {
        room: RoomSlug::lobby(),
        epoch,
        seq,
        at: Timestamp(0),
        by: by.id.clone(),
        deed: Deed::Posted {
            client_id: ClientId(protocol::Opaque::from_random(1)),
            text: MessageText::try_from(text.to_owned()).unwrap(),
            reply_to: None,
        },
    };
    Arc::new(Entry { event, by })
}

fn events(epoch: u128, seqs: impl IntoIterator<Item = u64>) -> Vec<Arc<Entry>> {
    seqs.into_iter().map(|seq| event_with(epoch, seq, "hi")).collect()
}

/// Nothing is told.
const NOTHING: [u64; 0] = [];

/// Signals as numbers; a gap is 0.
fn told(signals: impl IntoIterator<Item = Signal>) -> Vec<u64> {
    let number = |signal| match signal {
        Signal::Event(event) => event.event.seq.get(),
        Signal::Gap => 0,
        Signal::NewEpoch => panic!("never told"),
    };
    signals.into_iter().map(number).collect()
}

#[test]
fn what_is_next_passes_at_once_and_what_is_early_waits() {
    let mut order = Order::default();
    assert_eq!(
        told(order.take(&events(1, [5, 6]))),
        [5, 6],
        "the first event defines the position"
    );
    assert_eq!(told(order.take(&events(1, [8, 9]))), NOTHING);
    assert_eq!(order.waits_for().map(Seq::get), Some(7));
    assert_eq!(told(order.take(&events(1, [11]))), NOTHING);
    assert_eq!(told(order.take(&events(1, [7]))), [7, 8, 9]);
    assert_eq!(order.waits_for().map(Seq::get), Some(10));
    assert_eq!(told(order.take(&events(1, [10]))), [10, 11]);
    assert_eq!(order.waits_for(), None);
    assert_eq!(told(order.give_up()), NOTHING);
}

#[test]
fn nothing_is_told_twice() {
    let mut order = Order::default();
    order.take(&events(1, [5]));
    assert_eq!(told(order.take(&events(1, [4, 5, 7, 7]))), NOTHING);
    assert_eq!(told(order.take(&events(1, [6, 6, 7]))), [6, 7]);
}

#[test]
fn another_event_with_the_last_number_is_told() {
    let mut order = Order::default();
    order.take(&events(1, [5, 6, 7]));
    let later = events(1, [6, 7, 8]).into_iter().map(|entry| {
        let mut entry = Entry::clone(&entry);
        entry.event.at = Timestamp(1);
        Arc::new(entry)
    });
    assert_eq!(told(order.take(&later.collect::<Vec<_>>())), [7, 8]);
}

#[test]
fn what_does_not_come_becomes_a_gap() {
    let mut order = Order::default();
    order.take(&events(1, [5]));
    order.take(&events(1, [7, 9]));
    assert_eq!(told(order.give_up()), [0]);
    assert_eq!(
        told(order.take(&events(1, [6, 8]))),
        NOTHING,
        "followers have read them"
    );
    assert_eq!(told(order.take(&events(1, [10]))), [10]);
}

#[test]
fn too_much_is_not_held() {
    let mut order = Order::default();
    order.take(&events(1, [5]));
    let many = HELD.0 as u64;
    assert_eq!(told(order.take(&events(1, 7..7 + many))), NOTHING);
    assert_eq!(told(order.take(&events(1, [7 + many]))), [0]);
    assert_eq!(told(order.take(&events(1, [8 + many]))), [8 + many]);

    let long = "x".repeat(8_000);
    let next = 8 + many;
    let mut seq = next + 1;
    let gap = loop {
        seq += 1;
        let signals = told(order.take(&[event_with(1, seq, &long)]));
        if !signals.is_empty() {
            break signals;
        }
    };
    assert_eq!(gap, [0]);
    assert!(((seq - next) as usize * 8_000).abs_diff(HELD.1) < 100_000);
}

#[test]
fn another_epoch_passes_at_once() {
    let mut order = Order::default();
    order.take(&events(1, [5]));
    order.take(&events(1, [7]));
    assert_eq!(told(order.take(&events(2, [1]))), [1]);
    assert_eq!(order.waits_for(), None, "the old log's events are forgotten");
    assert_eq!(told(order.take(&events(2, [2]))), [2]);
}

#[test]
fn a_position_that_was_not_heard_is_a_gap() {
    let mut order = Order::default();
    assert_eq!(told(order.reached(&position(1, 5))), [0]);
    assert_eq!(told(order.reached(&position(1, 5))), NOTHING, "once");
    assert_eq!(told(order.reached(&position(1, 4))), NOTHING);
    order.take(&events(1, [7, 9, 10]));
    assert_eq!(told(order.reached(&position(1, 8))), [0, 9, 10]);
    order.take(&events(1, [12]));
    assert_eq!(told(order.reached(&position(2, 3))), [0], "another epoch");
    assert_eq!(told(order.take(&events(2, [4]))), [4]);
}

#[test]
fn after_an_interruption_the_next_event_defines_the_position() {
    let mut order = Order::default();
    order.take(&events(1, [5, 7]));
    order.restart();
    assert_eq!(order.waits_for(), None);
    assert_eq!(told(order.take(&events(1, [20]))), [20]);
}

/// Three replicas publish in their own order, in batches, some of which are lost; the timer fires at any time. Read
/// like a follower does, everything arrives once and in order.
#[test]
fn every_interleaving_gives_the_log() {
    for seed in 1..=3_000 {
        let mut random = Random(seed);
        let length = 1 + random.below(60);
        let mut replicas = vec![Vec::new(); 3];
        for seq in 1..=length {
            replicas[random.below(3) as usize].push(seq);
        }
        let lossy = random.below(2) == 0;
        let (mut order, mut cursor, mut heard) = (Order::default(), 0, Vec::new());
        // A follower begins with the log's head, and gets everything after it.
        order.take(&events(1, [0]));
        let mut follow = |signals: Vec<Signal>, committed: u64| {
            for signal in signals {
                match signal {
                    Signal::Event(event) if event.event.seq.get() <= cursor => {}
                    Signal::Event(event) => {
                        assert_eq!(
                            event.event.seq.get(),
                            cursor + 1,
                            "seed {seed}: a hole without a gap"
                        );
                        cursor += 1;
                        heard.push(cursor);
                    }
                    // The log has everything that was published, and perhaps more.
                    Signal::Gap => {
                        heard.extend(cursor + 1..=committed);
                        cursor = committed.max(cursor);
                    }
                    Signal::NewEpoch => panic!("never told"),
                }
            }
        };
        let mut published = 0;
        while replicas.iter().any(|own| !own.is_empty()) {
            let own = &mut replicas[random.below(3) as usize];
            let count = (1 + random.below(4) as usize).min(own.len());
            let batch: Vec<_> = own.drain(..count).collect();
            published = batch.iter().copied().fold(published, u64::max);
            if !(lossy && random.below(8) == 0) {
                follow(order.take(&events(1, batch)), published);
            }
            if lossy && random.below(10) == 0 {
                follow(order.give_up().into_iter().collect(), published);
            }
        }
        follow(order.give_up().into_iter().collect(), length);
        follow(order.reached(&position(1, length)), length);
        assert_eq!(heard, (1..=length).collect::<Vec<_>>(), "seed {seed}");
        assert_eq!((order.waits_for(), order.bytes), (None, 0), "seed {seed}");
    }
}

/// SplitMix64: the same numbers for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }
}
