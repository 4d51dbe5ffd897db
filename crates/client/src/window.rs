//! The part of the timeline that is in the page. The timeline may hold many thousands of messages; a page that shows
//! all of them would be slow.

use std::ops::Range;

use protocol::{Message, Seq};

use super::timeline::Timeline;

/// Maximum number of messages in the page.
pub const WINDOW_MESSAGES: usize = 400;

/// Messages in the page while the reader is at the bottom: a few screens full. Each line costs time whenever a message
/// is added, and a reader who scrolls up gets more from the timeline.
const FOLLOWED: usize = 150;

/// Maximum number of new messages shown with one refresh: more could be neither painted nor read in time.
const FRESH: usize = 50;

/// Messages added at one end, and removed at the other, when the reader gets near it.
const STEP: usize = 100;

/// A range of messages. It does not depend on their height on screen. It is kept by the messages at its ends, so that it
/// stays when the timeline grows or shrinks at its old end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    first: Seq,
    last: Seq,
    /// The oldest message of the timeline at the last `settle`.
    oldest: Seq,
    /// The last message at the last `show`.
    shown: Seq,
    /// True if the window ends with the newest message.
    newest: bool,
    /// True if the reader is at the bottom: the window follows new messages, and drops old ones at the top.
    pub at_bottom: bool,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            first: Seq::ZERO,
            last: Seq::ZERO,
            oldest: Seq::ZERO,
            shown: Seq::ZERO,
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

    /// The window as a range of the timeline's messages.
    pub fn range(&self, timeline: &Timeline) -> Range<usize> {
        let messages = timeline.messages();
        let from = messages.partition_point(|message| message.seq < self.first);
        from..end(messages, self.last).max(from)
    }

    /// Sets the window to this range, which is not empty.
    fn set(&mut self, range: Range<usize>, messages: &[Message]) {
        if let (Some(first), Some(last)) = (messages.get(range.start), messages.get(range.end - 1)) {
            (self.first, self.last) = (first.seq, last.seq);
            self.newest = range.end == messages.len();
        }
    }

    /// Adapts to a changed timeline.
    pub fn settle(&mut self, timeline: &Timeline) {
        let messages = timeline.messages();
        let [oldest, ..] = messages else { return };
        let Range { mut start, mut end } = self.range(timeline);
        let lost = start == end;
        if oldest.seq < self.oldest {
            // Older messages were loaded because the reader wants to see them.
            start = start.saturating_sub(STEP);
        }
        if lost || (self.newest && self.at_bottom) {
            end = messages.len();
            start = if lost { 0 } else { start }.max(end.saturating_sub(FOLLOWED));
        } else {
            let last = if self.newest { messages.len() } else { end };
            end = last.min(start + WINDOW_MESSAGES);
        }
        self.oldest = oldest.seq;
        self.set(start..end, messages);
    }

    /// Called before the window is shown.
    pub fn show(&mut self, timeline: &Timeline) {
        let Range { start, end: last } = self.range(timeline);
        let before = end(timeline.messages(), self.shown);
        if self.newest && self.at_bottom && last > before + FRESH {
            self.set(start.max(last - FRESH)..last, timeline.messages());
        }
        self.shown = self.last;
    }

    /// Moves up: the reader is near the top. Returns false if the timeline has no older messages.
    pub fn up(&mut self, timeline: &Timeline) -> bool {
        let Range { start, end } = self.range(timeline);
        if start > 0 {
            let start = start.saturating_sub(STEP);
            self.set(start..end.min(start + WINDOW_MESSAGES), timeline.messages());
        }
        start > 0
    }

    /// Moves down: the reader is near the bottom.
    pub fn down(&mut self, timeline: &Timeline) {
        let messages = timeline.messages();
        let Range { start, end } = self.range(timeline);
        let end = (end + STEP).min(messages.len());
        if end > 0 {
            self.set(start.max(end.saturating_sub(WINDOW_MESSAGES))..end, messages);
        }
    }
}

/// The number of messages up to this one.
fn end(messages: &[Message], last: Seq) -> usize {
    messages.partition_point(|message| message.seq <= last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{edited, page, posted, timeline};
    use protocol::MessagePage;

    fn settled(timeline: &Timeline) -> Window {
        let mut window = Window::default();
        window.settle(timeline);
        window
    }

    fn shown(window: &Window, timeline: &Timeline) -> (u64, u64) {
        let messages = &timeline.messages()[window.range(timeline)];
        let seq = |message: Option<&Message>| message.map_or(0, |message| message.seq.get());
        (seq(messages.first()), seq(messages.last()))
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
    fn events_that_post_nothing_do_not_move_the_window() {
        let mut timeline = timeline(1, 150);
        let mut window = settled(&timeline);
        for _ in 0..2 {
            window.show(&timeline);
        }
        let before = shown(&window, &timeline);
        for n in 151..=400 {
            timeline.apply(&edited(n, n - 100, "new"));
            window.settle(&timeline);
        }
        window.show(&timeline);
        assert_eq!(shown(&window, &timeline), before);
        timeline.apply(&posted(401, "ada"));
        window.settle(&timeline);
        assert_eq!(shown(&window, &timeline), (before.0, 401));
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
        window.show(&timeline);
        assert_eq!(shown(&window, &timeline), (1, 50));
        let mut hear = |last| {
            let first = timeline.position().seq.get() + 1;
            for n in first..=last {
                timeline.apply(&posted(n, "ada"));
                window.settle(&timeline);
            }
            window.show(&timeline);
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
        assert!(
            seen.iter()
                .all(|(first, last)| last - first < WINDOW_MESSAGES as u64)
        );
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
            timeline.await_older();
            timeline.prepend(MessagePage {
                head: timeline.position().seq,
                ..page(first, first + 49)
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
