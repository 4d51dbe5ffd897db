//! What a person saw, in the order in which it was shown, and whether it was whole at every moment.

use app::client::timeline::Timeline;
use protocol::RoomEvent;
use testkit::checker::{Receiver, Shown};

/// One stretch of the log after another: a reload, or another epoch, begins a new one.
pub struct Views {
    name: String,
    /// The stretches.
    pub all: Vec<Receiver>,
    /// What was not right at the moment when it was shown.
    pub broken: Vec<String>,
}

impl Views {
    /// Nothing was shown yet.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            all: Vec::new(),
            broken: Vec::new(),
        }
    }

    /// Whatever is shown from here on is shown anew.
    pub fn next_page(&mut self) {
        let name = format!("{} (view {})", self.name, self.all.len() + 1);
        self.all.push(Receiver {
            name,
            ..Receiver::default()
        });
    }

    /// Looks at what is shown now.
    pub fn look(&mut self, timeline: &Timeline) {
        let events = timeline.events();
        self.unbroken(timeline);
        let continues = self.all.last().is_some_and(|view| follows(&view.shown, timeline));
        if !continues {
            self.next_page();
        }
        let Some(view) = self.all.last_mut() else { return };
        let Some((first, last)) = view.shown.first().zip(view.shown.last()) else {
            view.shown = events.iter().filter_map(Shown::of).collect();
            return;
        };
        let (first, last) = (first.place.seq, last.place.seq);
        let newer = events.iter().filter(|event| event.seq > last);
        view.shown.extend(newer.filter_map(Shown::of));
        let older = events.iter().take_while(|event| event.seq < first);
        view.shown
            .splice(0..0, older.filter_map(Shown::of).collect::<Vec<_>>());
    }

    /// The events are one stretch that ends where the timeline says that it stands.
    fn unbroken(&mut self, timeline: &Timeline) {
        let head = timeline.position();
        let events = timeline.events();
        let next_to_each_other = |pair: &[RoomEvent]| pair[0].seq.next() == pair[1].seq;
        let right = events.windows(2).all(next_to_each_other)
            && events.iter().all(|event| event.epoch == head.epoch)
            && events.last().is_none_or(|last| last.seq == head.seq);
        if !right {
            let seqs: Vec<_> = events.iter().map(|event| event.seq.get()).collect();
            let sentence = format!("{} is shown {seqs:?} as if that ended at {}", self.name, head.seq);
            self.broken.push(sentence);
        }
    }
}

/// Whether what is shown now continues what was shown before.
fn follows(shown: &[Shown], timeline: &Timeline) -> bool {
    let Some(last) = shown.last().map(|shown| &shown.place) else {
        return true;
    };
    let head = timeline.position();
    last.epoch == head.epoch
        && last.seq <= head.seq
        && timeline.first().is_some_and(|first| first <= last.seq.next())
}
