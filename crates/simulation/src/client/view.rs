//! What a person saw, in the order in which it was shown, and whether it was consistent at every moment.

use client::room::RoomClient;
use client::timeline::Timeline;
use protocol::{Message, Position, RoomSlug, RoomTitle};
use testkit::checker::{Receiver, Shown};

/// Consecutive stretches of the log: a reload or another epoch begins a new one.
pub struct Views {
    name: String,
    /// The stretches.
    pub all: Vec<Receiver>,
    /// What was inconsistent when it was shown.
    pub broken: Vec<String>,
    /// What was shown at some moments.
    pub moments: Vec<Moment>,
}

/// What was shown at a moment.
pub struct Moment {
    /// The position up to which events were folded in.
    pub position: Position,
    /// The messages.
    pub messages: Vec<Message>,
    /// The room's title.
    pub title: RoomTitle,
}

impl Moment {
    /// What a room client shows now.
    pub fn of(core: &RoomClient) -> Self {
        let timeline = core.timeline();
        Self {
            position: timeline.position(),
            messages: timeline.messages().to_vec(),
            title: core.title().clone(),
        }
    }
}

impl Views {
    /// Begins with nothing shown.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            all: Vec::new(),
            broken: Vec::new(),
            moments: Vec::new(),
        }
    }

    /// Begins a new stretch.
    pub fn next_stretch(&mut self) {
        let name = format!("{} (view {})", self.name, self.all.len() + 1);
        self.all.push(Receiver {
            name,
            ..Receiver::default()
        });
    }

    /// Keeps what a room client shows, to be judged at the end.
    pub fn keep(&mut self, core: &RoomClient) {
        self.moments.push(Moment::of(core));
    }

    /// Records what is shown now.
    pub fn look(&mut self, room: &RoomSlug, timeline: &Timeline) {
        let epoch = timeline.position().epoch;
        let shown = timeline.messages().iter();
        let shown: Vec<_> = shown
            .map(|message| Shown::message(room, &epoch, message))
            .collect();
        self.check_ascending(timeline);
        let continues = self.all.last().is_some_and(|view| follows(&view.shown, timeline));
        if !continues {
            self.next_stretch();
        }
        let Some(view) = self.all.last_mut() else { return };
        let Some((first, last)) = view.shown.first().zip(view.shown.last()) else {
            view.shown = shown;
            return;
        };
        let (first, last) = (first.position.seq, last.position.seq);
        let newer = shown.iter().filter(|message| message.position.seq > last);
        view.shown.extend(newer.cloned());
        let older = shown
            .into_iter()
            .take_while(|message| message.position.seq < first);
        view.shown.splice(0..0, older.collect::<Vec<_>>());
    }

    /// Checks that the messages are in order, up to the timeline's position. Whether one is missing is judged at the end.
    fn check_ascending(&mut self, timeline: &Timeline) {
        let head = timeline.position();
        let messages = timeline.messages();
        let right = messages.windows(2).all(|pair| pair[0].seq < pair[1].seq)
            && messages.last().is_none_or(|last| last.seq <= head.seq);
        if !right {
            let seqs: Vec<_> = messages.iter().map(|message| message.seq.get()).collect();
            let sentence = format!("{} is shown {seqs:?} as if that ended at {}", self.name, head.seq);
            self.broken.push(sentence);
        }
    }
}

/// True if what is shown now continues what was shown before.
fn follows(shown: &[Shown], timeline: &Timeline) -> bool {
    let Some(last) = shown.last().map(|shown| &shown.position) else {
        return true;
    };
    let head = timeline.position();
    last.epoch == head.epoch
        && last.seq <= head.seq
        && timeline
            .messages()
            .first()
            .is_some_and(|first| first.seq <= last.seq.next())
}
