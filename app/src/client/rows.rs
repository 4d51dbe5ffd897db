//! The lines of the message list: a function of timeline, outbox, arrivals and departures.

use client::names::{is_mark, isolated};
use client::outbox::{Failed, Outbox, SendState};
use client::room::RoomClient;
use client::roster::Note;
use protocol::{Message, Person, PersonId, Seq, Timestamp};

use super::calendar::{Moment, iso};

/// Consecutive messages of one author closer together than this share one heading.
const GROUP_MS: u64 = 5 * 60_000;

/// Shown instead of a message that was deleted.
pub const DELETED: &str = "Message deleted";

/// Maximum number of characters of a message that is quoted.
const QUOTED: usize = 80;

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
    /// The message's text. Empty if it was deleted.
    pub text: String,
    /// True if it was deleted.
    pub deleted: bool,
    /// When it was last edited, in local time, with the date if that was not today. Empty if it was not.
    pub edited: String,
    /// The message that it replies to.
    pub reply: Option<Quote>,
    /// The emoji of its reactions, and how many people chose each: "👍 3".
    pub reactions: Vec<String>,
    /// True for the first message under its author's name.
    pub lead: bool,
    /// `14:05`, in local time.
    pub time: String,
    /// The same in ISO 8601, in UTC.
    pub datetime: String,
    /// How far sending has come.
    pub mark: Mark,
}

/// A message that another one replies to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Its seq in the log.
    pub seq: Seq,
    /// True if it is in the page.
    pub here: bool,
    /// "Ada: the beginning of the text", or what there is instead.
    pub text: String,
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

/// The lines of a room, oldest first. `unsent` follows the newest message; pass `None` if `messages` end before that.
pub fn rows(
    room: &RoomClient,
    messages: &[Message],
    unsent: Option<&Outbox>,
    notes: &[Note],
    wall: &Wall<'_>,
) -> Vec<Row> {
    let mut list = List::new(room, messages, wall);
    let mut notes = notes;
    if let Some(first) = messages.first() {
        // Skip notes from before the first message shown.
        notes = &notes[notes.partition_point(|note| note.after.next() < first.seq)..];
    }
    let mut rest = messages;
    while let [message, next @ ..] = rest {
        let here = notes.partition_point(|note| note.after < message.seq);
        list.quiet(&notes[..here]);
        notes = &notes[here..];
        list.day(message.at, next);
        list.stored(message);
        rest = next;
    }
    let Some(outbox) = unsent else {
        return list.rows;
    };
    list.quiet(notes);
    let epoch = room.timeline().epoch();
    if let Some(you) = room.you() {
        for item in outbox.items() {
            if let Some(text) = item.own_text(epoch) {
                list.day(item.at, &[]);
                let mut row = list.message(you.clone(), item.client_id.as_str(), item.at);
                row.text = text.to_string();
                row.reply = item.names(epoch).map(|seq| list.quote(seq));
                row.mark = mark(&item.state);
                list.rows.push(Row::Message(Box::new(row)));
            }
        }
    }
    list.rows
}

fn mark(state: &SendState) -> Mark {
    match state {
        SendState::Failed(why) => Mark::Failed(why.clone()),
        SendState::Waiting => Mark::Waiting,
        _ => Mark::Sending,
    }
}

/// The list under construction.
struct List<'a> {
    room: &'a RoomClient,
    messages: &'a [Message],
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
    fn new(room: &'a RoomClient, messages: &'a [Message], wall: &'a Wall<'a>) -> Self {
        Self {
            room,
            messages,
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

    /// Begins a new day if the message at this time starts one.
    ///
    /// The log decides the order, not the clock. A timestamp that is behind does not begin an earlier day again. One
    /// that is ahead does not pull later messages into its day: the two messages after it are trusted more, and so is
    /// the reader's own clock unless both agree with it.
    fn day(&mut self, at: Timestamp, next: &[Message]) {
        let next: Vec<Timestamp> = next.iter().take(2).map(|message| message.at).collect();
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

    /// Adds a message of the log, with the reader's own changes that are not stored yet.
    fn stored(&mut self, message: &Message) {
        let expected = self.room.expected(message);
        let (message, state) = match &expected {
            Some((message, state)) => (message, Some(*state)),
            None => (message, None),
        };
        let author = self.room.person(&message.by);
        let mut row = self.message(author, message.client_id.as_str(), message.at);
        row.seq = Some(message.seq.get());
        row.text = message.text.to_string();
        row.deleted = message.deleted;
        if let Some(at) = message.edited_at.filter(|_| !message.deleted) {
            let moment = self.moment(at);
            row.edited = moment.time();
            if moment.day != self.today {
                row.edited.push_str(&format!(" on {}", moment.date()));
            }
        }
        row.reply = message.reply_to.map(|seq| self.quote(seq));
        let reactions = message.reactions.iter();
        row.reactions = reactions
            .map(|one| format!("{} {}", one.emoji, one.by.len()))
            .collect();
        row.mark = state.map_or(Mark::Sent, mark);
        self.rows.push(Row::Message(Box::new(row)));
    }

    /// The line of a message without its content.
    fn message(&mut self, author: Person, client_id: &str, at: Timestamp) -> MessageRow {
        let moment = self.moment(at);
        let continues = self
            .above
            .as_ref()
            .is_some_and(|(above, since)| *above == author.id && at.0.saturating_sub(since.0) < GROUP_MS);
        self.above = Some((author.id.clone(), at));
        MessageRow {
            key: message_key(&author.id, client_id),
            seq: None,
            author,
            text: String::new(),
            deleted: false,
            edited: String::new(),
            reply: None,
            reactions: Vec::new(),
            lead: !continues,
            time: moment.time(),
            datetime: iso(at),
            mark: Mark::Sent,
        }
    }

    fn quote(&self, seq: Seq) -> Quote {
        let text = match self.room.timeline().message(seq) {
            None => "An earlier message".to_owned(),
            Some(message) if message.deleted => DELETED.to_owned(),
            Some(message) => {
                let name = self.room.person(&message.by).name;
                format!("{}: {}", isolated(&name), excerpt(message.text.as_str()))
            }
        };
        let found = self.messages.binary_search_by_key(&seq, |message| message.seq);
        let here = found.is_ok();
        Quote { seq, here, text }
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

/// The beginning of a text.
fn excerpt(text: &str) -> String {
    let mut chars = text.chars().filter(|c| !is_mark(*c));
    let mut excerpt: String = chars.by_ref().take(QUOTED).collect();
    if chars.next().is_some() {
        excerpt.push('…');
    }
    excerpt
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
    use client::samples::{deleted, edited, epoch, id, packet, page_of, person, posted, reacted, seq, text};
    use protocol::{Deed, LogEvent, PresenceList, RoomSlug};

    const UTC: &dyn Fn(Timestamp) -> i32 = &|_| 0;

    fn room(events: Vec<LogEvent>) -> RoomClient {
        let last = events.last().map_or(0, |event| event.seq.get());
        let title = "Lobby".to_owned().try_into().unwrap();
        RoomClient::new(
            RoomSlug::lobby(),
            title,
            Some(person("you")),
            page_of(1, last, &events),
            PresenceList::default(),
            str::to_lowercase,
        )
    }

    fn say(name: &str, words: &str, reply_to: Option<Seq>) -> Deed {
        Deed::Posted {
            client_id: id(name),
            text: text(words),
            reply_to,
        }
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
        room: &RoomClient,
        outbox: &Outbox,
        notes: &[Note],
        offset: &dyn Fn(Timestamp) -> i32,
    ) -> Vec<String> {
        let wall = Wall {
            offset,
            now: Timestamp(86_400_000),
        };
        rows(room, room.timeline().messages(), Some(outbox), notes, &wall)
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
        let timeline = room(vec![posted(1, "ada"), posted(2, "ada"), late, posted(4, "bob")]);
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
        let timeline = room(vec![first, second, behind]);
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
        let at = |n: u64, day: u64| LogEvent {
            at: Timestamp(day * 86_400_000 + n),
            ..posted(n, "ada")
        };
        let days = |events: Vec<LogEvent>| -> Vec<String> {
            let rendered = rendered(&room(events), &Outbox::default(), &[], UTC);
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
            &room(vec![at(1, 40), at(2, 1), at(3, 1)]),
            &Outbox::default(),
            &[],
            UTC,
        );
        assert_eq!(first[0], "# Today", "the list begins with a day: {first:?}");
    }

    #[test]
    fn arrivals_and_departures_show_their_net_effect() {
        let timeline = room(vec![posted(1, "ada"), posted(2, "ada"), posted(3, "ada")]);
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
        assert!(outbox.push(say("c2", "text 2", None), &epoch(1), Timestamp(2_000)));
        let before = room(vec![posted(1, "you")]);
        let after = room(vec![posted(1, "you"), posted(2, "you")]);
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
        let keys = |room: &RoomClient, outbox| -> Vec<_> {
            rows(room, room.timeline().messages(), Some(outbox), &[], &wall)
                .iter()
                .map(Row::key)
                .collect()
        };
        assert_eq!(keys(&before, &outbox), keys(&after, &Outbox::default()));
    }

    /// The lines of messages, with local time one hour ahead of UTC.
    fn messages(room: &RoomClient) -> Vec<MessageRow> {
        let wall = Wall {
            offset: &|_| 60,
            now: Timestamp(0),
        };
        let rows = rows(room, room.timeline().messages(), room.unsent(), &[], &wall).into_iter();
        let message = |row| match row {
            Row::Message(message) => Some(*message),
            _ => None,
        };
        rows.filter_map(message).collect()
    }

    #[test]
    fn what_was_done_to_a_message_of_another_epoch_is_not_shown_as_done_to_this_ones() {
        let mut outbox = Outbox::default();
        let edit = Deed::Edited {
            client_id: id("e"),
            of: seq(1),
            text: text("edited"),
        };
        for deed in [say("r", "yes", Some(seq(1))), edit] {
            assert!(outbox.push(deed, &epoch(2), Timestamp(2_000)));
        }
        let mut room = room(vec![posted(1, "you")]);
        room.adopt(outbox);
        let lines = messages(&room).into_iter();
        let lines: Vec<_> = lines.map(|one| (one.text, one.reply, one.mark)).collect();
        let line = |text: &str, mark| (text.to_owned(), None, mark);
        assert_eq!(
            lines,
            [
                line("text 1", Mark::Sent),
                line("yes", Mark::Waiting),
                line("edited", Mark::Waiting)
            ],
            "no word is lost"
        );
    }

    #[test]
    fn a_line_shows_what_became_of_its_message() {
        let reply = LogEvent {
            deed: say("c2", "yes", Some(seq(1))),
            ..posted(2, "bob")
        };
        let lost = LogEvent {
            deed: say("c3", "what?", Some(seq(99))),
            ..posted(3, "bob")
        };
        let mut room = room(vec![
            posted(1, "ada"),
            reply,
            lost,
            reacted(4, "bob", 1, "👍"),
            edited(5, 1, "new"),
        ]);
        let [one, two, three] = &messages(&room)[..] else {
            panic!("three messages");
        };
        assert_eq!((one.text.as_str(), one.deleted), ("new", false));
        assert_eq!(one.edited, "01:00");
        assert_eq!(one.reactions, ["👍 1"]);
        let quote = |row: &MessageRow| {
            row.reply
                .as_ref()
                .map(|quote| (quote.seq.get(), plain(&quote.text)))
        };
        let here = |row: &MessageRow| row.reply.as_ref().is_some_and(|quote| quote.here);
        assert_eq!(quote(two), Some((1, "ada: new".to_owned())));
        assert_eq!(quote(three), Some((99, "An earlier message".to_owned())));
        assert_eq!((here(two), here(three)), (true, false));
        assert_eq!((quote(one), two.edited.as_str()), (None, ""));
        room.connected();
        room.act(say("mine", "hello", Some(seq(2))), 6_000).unwrap();
        let unsent = &messages(&room)[3];
        assert_eq!(
            (quote(unsent), &unsent.mark),
            (Some((2, "bob: yes".to_owned())), &Mark::Waiting)
        );
        let gone = room_after(&room, deleted(6, 1));
        let [one, two, ..] = &messages(&gone)[..] else {
            panic!("messages");
        };
        assert!(one.deleted && one.text.is_empty() && one.reactions.is_empty() && one.edited.is_empty());
        assert_eq!(quote(two), Some((1, DELETED.to_owned())));
    }

    #[test]
    fn a_quote_is_short_and_names_nobody_but_its_author() {
        let text = format!("{} said {}", isolated("Bob"), "x".repeat(100));
        let short = excerpt(&text);
        assert_eq!(short, format!("Bob said {}…", "x".repeat(QUOTED - 9)));
        assert_eq!(excerpt("hi"), "hi");
    }

    /// The room after another event, live.
    fn room_after(room: &RoomClient, event: LogEvent) -> RoomClient {
        let mut room = room.clone();
        let of = room.generation();
        let joined = protocol::Joined {
            room: RoomSlug::lobby(),
            title: room.title().clone(),
            head: room.timeline().position(),
            page: None,
            events: Vec::new(),
            people: Vec::new(),
            more: false,
            roster: PresenceList::default(),
        };
        room.joined(of, Ok(joined), 0);
        room.events(packet(vec![event]), 0);
        room
    }

    #[test]
    fn an_own_change_shows_before_it_is_stored() {
        let mut room = room(vec![posted(1, "you"), posted(2, "you")]);
        let edit = Deed::Edited {
            client_id: id("e"),
            of: seq(1),
            text: text("new"),
        };
        room.act(edit, 5_000).unwrap();
        let [one, two] = &messages(&room)[..] else {
            panic!("an edit is no line of its own");
        };
        assert_eq!((one.text.as_str(), &one.mark), ("new", &Mark::Waiting));
        assert_eq!((two.text.as_str(), &two.mark), ("text 2", &Mark::Sent));
    }
}
