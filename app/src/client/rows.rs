//! The lines of the message list: a function of timeline, outbox, arrivals and departures.

use client::names::isolated;
use client::outbox::{Failed, Outbox, SendState};
use client::roster::Note;
use protocol::{EventBody, Person, PersonId, RoomEvent, Timestamp};

use super::calendar::{Moment, iso};

/// Consecutive messages of one author closer together than this share one heading.
const GROUP_MS: u64 = 5 * 60_000;

/// Maximum number of people named in a line about arrivals and departures. The rest are counted.
const NAMED: usize = 3;

/// One line of the list. Its key identifies it while its content changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A new day begins.
    Day {
        /// `2026-11-24`
        date: String,
        /// "Today"
        label: String,
    },
    /// People who entered and left.
    Quiet {
        /// The line's key.
        key: String,
        /// "Ada and Bob joined", with the names marked (see [`client::names`]).
        text: String,
    },
    /// A message.
    Message(Box<MessageRow>),
}

/// A message as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRow {
    /// Author and client id: the same before and after it is confirmed.
    pub key: String,
    /// Its seq in the log, once known.
    pub seq: Option<u64>,
    /// The message's author.
    pub author: Person,
    /// The message's text.
    pub text: String,
    /// True for the first message under its author's name.
    pub lead: bool,
    /// `14:05`, in local time.
    pub time: String,
    /// The same in ISO 8601, in UTC.
    pub datetime: String,
    /// How far sending has come.
    pub mark: Mark,
}

/// How far the sending of a message has come, as shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// In the log.
    Sent,
    /// Waits for a connection.
    Waiting,
    /// Being sent.
    Sending,
    /// Not sent, with the reason.
    Failed(Failed),
}

impl Row {
    /// Identifies the line.
    pub fn key(&self) -> String {
        match self {
            Self::Day { date, .. } => date.clone(),
            Self::Quiet { key, .. } => key.clone(),
            Self::Message(message) => message.key.clone(),
        }
    }
}

/// The key of a message, confirmed or not.
fn message_key(author: &PersonId, client_id: &str) -> String {
    format!("{author}/{client_id}")
}

/// The clock by which times are shown.
pub struct Wall<'a> {
    /// Minutes that local time is ahead of UTC at that moment.
    pub offset: &'a dyn Fn(Timestamp) -> i32,
    /// The current time.
    pub now: Timestamp,
}

/// The lines, oldest first. `unsent` follows the newest message; pass `None` if `events` end before that.
pub fn rows(
    events: &[RoomEvent],
    unsent: Option<&Outbox>,
    notes: &[Note],
    you: Option<&Person>,
    wall: &Wall<'_>,
) -> Vec<Row> {
    let mut list = List::new(wall);
    let mut notes = notes;
    if let Some(first) = events.first() {
        // Skip notes from before the first event shown.
        notes = &notes[notes.partition_point(|note| note.after.next() < first.seq)..];
    }
    let mut rest = events;
    while let [event, next @ ..] = rest {
        let here = notes.partition_point(|note| note.after < event.seq);
        list.quiet(&notes[..here]);
        notes = &notes[here..];
        list.event(event, next);
        rest = next;
    }
    let Some(outbox) = unsent else {
        return list.rows;
    };
    list.quiet(notes);
    if let Some(you) = you {
        for item in outbox.items() {
            let mark = match &item.state {
                SendState::Failed(why) => Mark::Failed(why.clone()),
                SendState::Waiting => Mark::Waiting,
                _ => Mark::Sending,
            };
            list.day(item.at, &[]);
            list.message(
                you,
                item.client_id.as_str(),
                item.text.as_str(),
                item.at,
                None,
                mark,
            );
        }
    }
    list.rows
}

/// The list under construction.
struct List<'a> {
    wall: &'a Wall<'a>,
    /// The offset of the last minute that was asked for: asking the browser costs more than building the line.
    offset: Option<(u64, i32)>,
    today: i64,
    day: Option<i64>,
    /// Author and time of the message above, if the line above is a message.
    above: Option<(PersonId, Timestamp)>,
    rows: Vec<Row>,
}

impl<'a> List<'a> {
    fn new(wall: &'a Wall<'a>) -> Self {
        Self {
            wall,
            offset: None,
            today: Moment::new(wall.now, (wall.offset)(wall.now)).day,
            day: None,
            above: None,
            rows: Vec::new(),
        }
    }

    fn moment(&mut self, at: Timestamp) -> Moment {
        let minute = at.0 / 60_000;
        let offset = match self.offset {
            Some((known, offset)) if known == minute => offset,
            _ => (self.wall.offset)(at),
        };
        self.offset = Some((minute, offset));
        Moment::new(at, offset)
    }

    fn event(&mut self, event: &RoomEvent, next: &[RoomEvent]) {
        // Skip events that this build does not know.
        let EventBody::Posted { client_id, text } = &event.body else {
            return;
        };
        self.day(event.at, next);
        let seq = Some(event.seq.get());
        self.message(
            &event.author,
            client_id.as_str(),
            text.as_str(),
            event.at,
            seq,
            Mark::Sent,
        );
    }

    /// Begins a new day if the message at this time starts one.
    ///
    /// The log decides the order, not the clock. A timestamp that is behind does not begin an earlier day again. One
    /// that is ahead does not pull later messages into its day: the two messages after it are trusted more, and so is
    /// the reader's own clock unless both agree with it.
    fn day(&mut self, at: Timestamp, next: &[RoomEvent]) {
        let next: Vec<Timestamp> = next.iter().take(2).map(|event| event.at).collect();
        let day = self.moment(at).day;
        let mut agrees = next.iter().map(|at| self.moment(*at).day >= day);
        let ahead = match (agrees.next(), agrees.next()) {
            (Some(false), Some(false)) => true,
            (Some(true), Some(true)) => false,
            _ => day > self.today,
        };
        let at = if ahead {
            next.into_iter().fold(self.wall.now, Ord::min)
        } else {
            at
        };
        let moment = self.moment(at);
        if self.day.is_none_or(|day| day < moment.day) {
            self.day = Some(moment.day);
            self.above = None;
            self.rows.push(Row::Day {
                date: moment.date(),
                label: moment.day_label(self.today),
            });
        }
    }

    fn message(
        &mut self,
        author: &Person,
        client_id: &str,
        text: &str,
        at: Timestamp,
        seq: Option<u64>,
        mark: Mark,
    ) {
        let moment = self.moment(at);
        let continues = self
            .above
            .as_ref()
            .is_some_and(|(above, since)| *above == author.id && at.0.saturating_sub(since.0) < GROUP_MS);
        self.above = Some((author.id.clone(), at));
        self.rows.push(Row::Message(Box::new(MessageRow {
            key: message_key(&author.id, client_id),
            seq,
            author: author.clone(),
            text: text.to_owned(),
            lead: !continues,
            time: moment.time(),
            datetime: iso(at),
            mark,
        })));
    }

    fn quiet(&mut self, notes: &[Note]) {
        let (Some(first), text) = (notes.first(), net_effect(notes)) else {
            return;
        };
        if !text.is_empty() {
            self.above = None;
            self.rows.push(Row::Quiet {
                key: format!("after {}", first.after),
                text,
            });
        }
    }
}

/// "Ada and Bob joined · Cleo left". A person who came and went again, or the reverse, is not mentioned.
fn net_effect(notes: &[Note]) -> String {
    let mut people: Vec<(&Person, bool, bool)> = Vec::new();
    for note in notes {
        match people.iter_mut().find(|(person, ..)| person.id == note.person.id) {
            Some((_, _, last)) => *last = note.entered,
            None => people.push((&note.person, note.entered, note.entered)),
        }
    }
    let who = |entered: bool| -> Vec<String> {
        people
            .iter()
            .filter(|(_, first, last)| first == last && *last == entered)
            .map(|(person, ..)| isolated(&person.name))
            .collect()
    };
    [(who(true), "joined"), (who(false), "left")]
        .iter()
        .filter(|(names, _)| !names.is_empty())
        .map(|(names, what)| format!("{} {what}", listed(names)))
        .collect::<Vec<_>>()
        .join(" · ")
}

fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] if names.len() <= NAMED => format!("{} and {last}", most.join(", ")),
        _ => format!(
            "{} and {} others",
            names[..NAMED - 1].join(", "),
            names.len() - (NAMED - 1)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use client::names::{Part, parts};
    use client::samples::{epoch, id, person, posted, seq, text};
    use client::timeline::Timeline;
    use protocol::Position;

    const UTC: &dyn Fn(Timestamp) -> i32 = &|_| 0;

    fn timeline(events: Vec<RoomEvent>) -> Timeline {
        let head = Position {
            epoch: epoch(1),
            seq: events.last().map_or(seq(0), |event| event.seq),
        };
        Timeline::new(head, events, false)
    }

    fn note(after: u64, name: &str, entered: bool) -> Note {
        Note {
            after: seq(after),
            person: person(name),
            entered,
        }
    }

    /// Renders lines as text: `# day`, `~ quiet`, `Author: text` for the first of a group, `+ text` for the others, and
    /// `…` while sending.
    fn rendered(
        timeline: &Timeline,
        outbox: &Outbox,
        notes: &[Note],
        offset: &dyn Fn(Timestamp) -> i32,
    ) -> Vec<String> {
        let wall = Wall {
            offset,
            now: Timestamp(86_400_000),
        };
        let events = timeline.events();
        rows(events, Some(outbox), notes, Some(&person("you")), &wall)
            .into_iter()
            .map(|row| match row {
                Row::Day { label, .. } => format!("# {label}"),
                Row::Quiet { text, .. } => format!("~ {}", plain(&text)),
                Row::Message(message) => {
                    let who = if message.lead {
                        format!("{}:", message.author.name)
                    } else {
                        "+".to_owned()
                    };
                    let mark = if message.mark == Mark::Sent { "" } else { "…" };
                    format!("{who} {}{mark}", message.text)
                }
            })
            .collect()
    }

    /// A sentence without the marks around its names.
    fn plain(sentence: &str) -> String {
        let texts = parts(sentence).map(|part| match part {
            Part::Text(text) | Part::Name(text) => text,
        });
        texts.collect()
    }

    #[test]
    fn groups_by_author_within_five_minutes() {
        let mut late = posted(3, "ada");
        late.at = Timestamp(2_000 + GROUP_MS);
        let timeline = timeline(vec![posted(1, "ada"), posted(2, "ada"), late, posted(4, "bob")]);
        assert_eq!(
            rendered(&timeline, &Outbox::default(), &[], UTC),
            [
                "# Yesterday",
                "ada: text 1",
                "+ text 2",
                "ada: text 3",
                "bob: text 4"
            ]
        );
    }

    #[test]
    fn days_are_local_and_never_go_back() {
        let mut behind = posted(3, "ada");
        behind.at = Timestamp(0);
        let mut first = posted(1, "ada");
        first.at = Timestamp(86_399_000);
        let mut second = posted(2, "ada");
        second.at = Timestamp(86_400_000);
        let timeline = timeline(vec![first, second, behind]);
        assert_eq!(
            rendered(&timeline, &Outbox::default(), &[], UTC),
            ["# Yesterday", "ada: text 1", "# Today", "ada: text 2", "+ text 3"]
        );
        assert_eq!(
            rendered(&timeline, &Outbox::default(), &[], &|_| 60),
            ["# Today", "ada: text 1", "+ text 2", "+ text 3"]
        );
    }

    #[test]
    fn a_timestamp_that_is_ahead_does_not_pull_later_messages_into_its_day() {
        let at = |n: u64, day: u64| RoomEvent {
            at: Timestamp(day * 86_400_000 + n),
            ..posted(n, "ada")
        };
        let days = |events: Vec<RoomEvent>| -> Vec<String> {
            let rendered = rendered(&timeline(events), &Outbox::default(), &[], UTC);
            let day = |line: &String| line.starts_with('#').then(|| line.clone());
            rendered.iter().filter_map(day).collect()
        };
        // Today is day 1.
        assert_eq!(days(vec![at(1, 1), at(2, 40)]), ["# Today"]);
        assert_eq!(days(vec![at(1, 1), at(2, 40), at(3, 1)]), ["# Today"]);
        assert_eq!(
            days(vec![at(1, 0), at(2, 40), at(3, 0), at(4, 1), at(5, 1)]),
            ["# Yesterday", "# Today"]
        );
        // The reader's own clock may be wrong instead.
        assert_eq!(
            days(vec![at(1, 1), at(2, 2), at(3, 2), at(4, 2)]),
            ["# Today", "# Saturday, 3 January 1970"]
        );
        // A timestamp that is behind changes nothing.
        assert_eq!(
            days(vec![at(1, 0), at(2, 1), at(3, 0), at(4, 1)]),
            ["# Yesterday", "# Today"]
        );
        let first = rendered(
            &timeline(vec![at(1, 40), at(2, 1), at(3, 1)]),
            &Outbox::default(),
            &[],
            UTC,
        );
        assert_eq!(first[0], "# Today", "the list begins with a day: {first:?}");
    }

    #[test]
    fn arrivals_and_departures_show_their_net_effect() {
        let timeline = timeline(vec![posted(1, "ada"), posted(2, "ada"), posted(3, "ada")]);
        let notes = [
            note(1, "bob", true),
            note(1, "cleo", true),
            note(1, "dan", true),
            note(1, "dan", false),
            note(2, "bob", false),
            note(2, "bob", true),
            note(3, "cleo", false),
            note(3, "eve", true),
        ];
        assert_eq!(
            rendered(&timeline, &Outbox::default(), &notes, UTC),
            [
                "# Yesterday",
                "ada: text 1",
                "~ bob and cleo joined",
                "ada: text 2",
                "+ text 3",
                "~ eve joined · cleo left"
            ]
        );
        let crowd: Vec<_> = ["a", "b", "c", "d", "e"]
            .iter()
            .map(|name| note(3, name, true))
            .collect();
        assert_eq!(plain(&net_effect(&crowd)), "a, b and 3 others joined");
        assert_eq!(net_effect(&crowd[..1]), "\u{2068}a\u{2069} joined");
    }

    #[test]
    fn a_message_keeps_its_key_and_position_when_it_is_confirmed() {
        let mut outbox = Outbox::default();
        assert!(outbox.push(id("c2"), text("text 2"), Timestamp(2_000)));
        let before = timeline(vec![posted(1, "you")]);
        let after = timeline(vec![posted(1, "you"), posted(2, "you")]);
        assert_eq!(
            rendered(&before, &outbox, &[], UTC),
            ["# Yesterday", "you: text 1", "+ text 2…"]
        );
        assert_eq!(
            rendered(&after, &Outbox::default(), &[], UTC),
            ["# Yesterday", "you: text 1", "+ text 2"]
        );
        let wall = Wall {
            offset: UTC,
            now: Timestamp(0),
        };
        let keys = |timeline: &Timeline, outbox| -> Vec<_> {
            rows(timeline.events(), Some(outbox), &[], Some(&person("you")), &wall)
                .iter()
                .map(Row::key)
                .collect()
        };
        assert_eq!(keys(&before, &outbox), keys(&after, &Outbox::default()));
    }
}
