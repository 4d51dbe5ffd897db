//! The checker for tests that are not written in Rust. Reads a story from standard input, one JSON object per line, and
//! writes the verdict to standard output as one JSON object.
//!
//! ```text
//! {"sent": {"by": "Ada", "client_id": "a-1"}}                 in the order of sending
//! {"again": {"by": "Ada", "client_id": "a-1"}}                refused, and sent again later
//! {"acknowledged": {"by": "Ada", "client_id": "a-1", "room": "lobby", "epoch": "5r1x", "seq": 1}}
//! {"receiver": {"name": "Bob", "from_start": true, "to_end": true}}
//! {"shown": {"to": "Bob", "client_id": "a-1", "room": "lobby", "epoch": "5r1x", "seq": 1}}
//! ```
//!
//! A chat without numbers leaves out `room`, `epoch` and `seq` everywhere. A line that cannot be parsed ends the
//! program with code 1.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, BufRead, Write};

use protocol::{ClientId, Epoch, RoomSlug, Seq};
use serde::Deserialize;
use testkit::checker::{Receiver, RoomPosition, Sender, Showing, Shown, Tally, check, check_unnumbered};

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    Sent(Message),
    Again(Message),
    Acknowledged(Message),
    Receiver {
        name: String,
        from_start: bool,
        to_end: bool,
    },
    Shown(ShownTo),
}

#[derive(Deserialize)]
struct Message {
    by: String,
    client_id: ClientId,
    #[serde(flatten)]
    position: Option<Where>,
}

#[derive(Deserialize)]
struct ShownTo {
    to: String,
    client_id: ClientId,
    #[serde(flatten)]
    position: Option<Where>,
}

#[derive(Deserialize)]
struct Where {
    room: RoomSlug,
    epoch: Epoch,
    seq: Seq,
}

impl From<Where> for RoomPosition {
    fn from(Where { room, epoch, seq }: Where) -> Self {
        Self { room, epoch, seq }
    }
}

#[derive(Default)]
struct Story {
    senders: BTreeMap<String, Sender>,
    receivers: Vec<Receiver>,
    showings: Vec<Showing>,
    numbered: bool,
    unnumbered: bool,
}

impl Story {
    fn take(&mut self, line: Line) -> Result<(), String> {
        match line {
            Line::Sent(message) => {
                let client_id = message.client_id.clone();
                self.sender(message.by).sent.push(client_id);
            }
            Line::Again(message) => {
                let client_id = message.client_id.clone();
                self.sender(message.by).again.insert(client_id);
            }
            Line::Acknowledged(message) => {
                self.numbered |= message.position.is_some();
                self.unnumbered |= message.position.is_none();
                // Without numbers the position has no meaning and is not checked.
                let position = message.position.map_or_else(no_position, RoomPosition::from);
                self.sender(message.by)
                    .acknowledged
                    .push((message.client_id, position));
            }
            Line::Receiver {
                name,
                from_start,
                to_end,
            } => {
                self.showings.push(Showing {
                    name: name.clone(),
                    shown: Vec::new(),
                });
                self.receivers.push(Receiver {
                    name,
                    from_start,
                    to_end,
                    shown: Vec::new(),
                });
            }
            Line::Shown(ShownTo {
                to,
                client_id,
                position,
            }) => {
                let n = self.receivers.iter().rposition(|receiver| receiver.name == to);
                let n = n.ok_or_else(|| format!("no receiver was called {to} before"))?;
                self.showings[n].shown.push(client_id.clone());
                self.unnumbered |= position.is_none();
                if let Some(position) = position {
                    self.numbered = true;
                    self.receivers[n].shown.push(Shown {
                        position: position.into(),
                        client_id,
                    });
                }
            }
        }
        Ok(())
    }

    fn sender(&mut self, name: String) -> &mut Sender {
        let sender = self.senders.entry(name.clone()).or_default();
        sender.name = name;
        sender
    }

    fn tally(self) -> Result<Tally, String> {
        let senders: Vec<Sender> = self.senders.into_values().collect();
        if !self.numbered {
            return Ok(check_unnumbered(&senders, &self.showings));
        }
        if self.unnumbered {
            return Err("some messages have numbers and some have none".to_owned());
        }
        Ok(Tally::of(&check(&senders, &self.receivers)))
    }
}

fn no_position() -> RoomPosition {
    RoomPosition {
        room: RoomSlug::lobby(),
        epoch: Epoch::from_random(0),
        seq: Seq::ZERO,
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut story = Story::default();
    for (n, line) in io::stdin().lock().lines().enumerate() {
        let taken = serde_json::from_str(&line?)
            .map_err(|error| error.to_string())
            .and_then(|line| story.take(line));
        if let Err(error) = taken {
            return Err(format!("line {}: {error}", n + 1).into());
        }
    }
    let tally = story.tally()?;
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, &tally)?;
    writeln!(out)?;
    Ok(())
}
