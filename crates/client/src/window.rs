//! The part of the timeline that is in the page. The timeline may hold many thousands of messages; a page that shows
//! all of them would be slow.

use std::ops::Range;

use super::timeline::Timeline;

/// Maximum number of messages in the page.
pub const WINDOW_EVENTS: u64 = 400;

/// Messages in the page while the reader is at the bottom: a few screens full. Each line costs time whenever a message
/// is added, and a reader who scrolls up gets more from the timeline.
const FOLLOWED: u64 = 150;

/// Maximum number of new messages shown with one refresh: more could be neither painted nor read in time.
const FRESH: u64 = 50;

/// Messages added at one end, and removed at the other, when the reader gets near it.
const STEP: u64 = 100;

/// A range of messages. It does not depend on their height on screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    first: u64,
    last: u64,
    /// The oldest message of the timeline at the last `settle`.
    oldest: u64,
    /// The last message at the last `show`.
    shown: u64,
    /// True if the window ends with the newest message.
    newest: bool,
    /// True if the reader is at the bottom: the window follows new messages, and drops old ones at the top.
    pub at_bottom: bool,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            first: 0,
            last: 0,
            oldest: 0,
            shown: 0,
            newest: true,
            at_bottom: true,
        }
    }
}

impl Window {
    /// True if the window ends with the newest message.
    pub fn is_newest(&self) -> bool {
        self.newest
    }

    /// The window as a range of the timeline's events.
    pub fn range(&self, timeline: &Timeline) -> Range<usize> {
        match ends(timeline) {
            Some((oldest, newest)) => {
                let at = |seq: u64| seq.clamp(oldest, newest + 1) - oldest;
                at(self.first) as usize..at(self.last + 1) as usize
            }
            None => 0..0,
        }
    }

    /// Adapts to a changed timeline.
    pub fn settle(&mut self, timeline: &Timeline) {
        let Some((oldest, newest)) = ends(timeline) else {
            return;
        };
        let lost = newest < self.first || self.last < oldest;
        if oldest < self.oldest {
            // Older messages were loaded because the reader wants to see them.
            self.first = self.first.saturating_sub(STEP);
        }
        if lost || (self.newest && self.at_bottom) {
            let first = if lost { 0 } else { self.first };
            self.last = newest;
            self.first = first.max((newest + 1).saturating_sub(FOLLOWED)).max(oldest);
        } else {
            self.first = self.first.max(oldest);
            let last = if self.newest { newest } else { self.last };
            self.last = last.min(self.first + WINDOW_EVENTS - 1);
        }
        self.oldest = oldest;
        self.newest = self.last == newest;
    }

    /// Called before the window is shown.
    pub fn show(&mut self) {
        if self.newest && self.at_bottom && self.last > self.shown + FRESH {
            self.first = self.first.max(self.last + 1 - FRESH);
        }
        self.shown = self.last;
    }

    /// Moves up: the reader is near the top. Returns false if the timeline has no older messages.
    pub fn up(&mut self, timeline: &Timeline) -> bool {
        match ends(timeline) {
            Some((oldest, newest)) if oldest < self.first => {
                self.first = self.first.saturating_sub(STEP).max(oldest);
                self.last = self.last.min(self.first + WINDOW_EVENTS - 1);
                self.newest = self.last == newest;
                true
            }
            _ => false,
        }
    }

    /// Moves down: the reader is near the bottom.
    pub fn down(&mut self, timeline: &Timeline) {
        if let Some((_, newest)) = ends(timeline) {
            self.last = (self.last + STEP).min(newest);
            self.first = self.first.max((self.last + 1).saturating_sub(WINDOW_EVENTS));
            self.newest = self.last == newest;
        }
    }
}

fn ends(timeline: &Timeline) -> Option<(u64, u64)> {
    let events = timeline.events();
    Some((events.first()?.seq.get(), events.last()?.seq.get()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{epoch, posted, timeline};
    use protocol::HistoryAnswer;

    fn settled(timeline: &Timeline) -> Window {
        let mut window = Window::default();
        window.settle(timeline);
        window
    }

    fn shown(window: &Window, timeline: &Timeline) -> (u64, u64) {
        let events = &timeline.events()[window.range(timeline)];
        let seq = |event: Option<&protocol::RoomEvent>| event.map_or(0, |event| event.seq.get());
        (seq(events.first()), seq(events.last()))
    }

    #[test]
    fn at_the_bottom_the_window_follows_new_messages() {
        let mut timeline = timeline(1, 400);
        let mut window = settled(&timeline);
        assert_eq!(shown(&window, &timeline), (251, 400));
        timeline.apply(&posted(401, "ada"));
        window.settle(&timeline);
        assert_eq!(shown(&window, &timeline), (252, 401));
        assert!(window.is_newest());
    }

    #[test]
    fn further_up_the_window_keeps_its_messages() {
        let mut timeline = timeline(1, 150);
        let mut window = settled(&timeline);
        window.at_bottom = false;
        for n in 151..=402 {
            timeline.apply(&posted(n, "ada"));
            window.settle(&timeline);
        }
        assert_eq!(shown(&window, &timeline), (1, 400));
        assert!(!window.is_newest());
    }

    #[test]
    fn only_the_end_of_a_flood_is_shown() {
        let mut timeline = timeline(1, 50);
        let mut window = settled(&timeline);
        window.show();
        assert_eq!(shown(&window, &timeline), (1, 50));
        let mut hear = |last| {
            let first = timeline.position().seq.get() + 1;
            for n in first..=last {
                timeline.apply(&posted(n, "ada"));
                window.settle(&timeline);
            }
            window.show();
            shown(&window, &timeline)
        };
        assert_eq!(hear(100), (1, 100));
        assert_eq!(hear(200), (151, 200));
        assert_eq!(hear(201), (151, 201));
        assert_eq!(hear(250), (151, 250));
        assert_eq!(hear(300), (151, 300));
        assert_eq!(hear(310), (161, 310));
    }

    #[test]
    fn back_at_the_bottom_the_window_shrinks() {
        let mut timeline = timeline(1, 1_000);
        let mut window = settled(&timeline);
        window.at_bottom = false;
        assert!(window.up(&timeline) && window.up(&timeline));
        assert_eq!(shown(&window, &timeline), (651, 1_000));
        window.at_bottom = true;
        timeline.apply(&posted(1_001, "ada"));
        window.settle(&timeline);
        assert_eq!(shown(&window, &timeline), (852, 1_001));
    }

    #[test]
    fn the_window_moves_over_the_timeline_within_its_limit() {
        let timeline = timeline(1, 1_000);
        let mut window = settled(&timeline);
        let mut seen = vec![shown(&window, &timeline)];
        while window.up(&timeline) {
            seen.push(shown(&window, &timeline));
        }
        assert_eq!(seen.first(), Some(&(851, 1_000)));
        assert_eq!(seen.last(), Some(&(1, 400)));
        assert!(seen.iter().all(|(first, last)| last - first < WINDOW_EVENTS));
        while !window.is_newest() {
            window.down(&timeline);
        }
        assert_eq!(shown(&window, &timeline), (601, 1_000));
    }

    #[test]
    fn older_messages_that_were_loaded_are_shown() {
        let mut timeline = timeline(951, 1_000);
        let mut window = settled(&timeline);
        window.at_bottom = false;
        for first in (451..=901).rev().step_by(50) {
            timeline.prepend(HistoryAnswer {
                epoch: epoch(1),
                events: (first..first + 50).map(|n| posted(n, "ada")).collect(),
                more: true,
            });
            window.settle(&timeline);
            assert_eq!(shown(&window, &timeline).0, first);
        }
        assert_eq!(shown(&window, &timeline), (451, 850));
    }

    #[test]
    fn messages_that_left_the_timeline_are_not_shown() {
        let before = timeline(1, 1_000);
        let mut window = settled(&before);
        window.at_bottom = false;
        while window.up(&before) {}
        let after = timeline(301, 1_300);
        window.settle(&after);
        assert_eq!(shown(&window, &after), (301, 400));
        let far = timeline(5_001, 5_050);
        window.settle(&far);
        assert_eq!(shown(&window, &far), (5_001, 5_050));
        assert!(window.is_newest());
        let none = timeline(1, 0);
        assert_eq!(window.range(&none), 0..0);
    }
}
