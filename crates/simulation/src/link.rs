//! The network between one client and one replica. It may be slow, but keeps the order in each direction as a Socket.IO
//! connection does; once cut, it carries nothing.

use std::cell::Cell;
use std::rc::Rc;

use chat::ports::Ids;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::stream::{LocalBoxStream, StreamExt};
use protocol::{
    Deed, Epoch, Events, HistoryAnswer, Joined, PresenceUpdate, Receipts, Refusal, Reset, RoomSlug,
    RosterUpdate,
};

use crate::world::World;

/// A client's command.
#[derive(Clone, Debug)]
pub enum Ask {
    /// `join`.
    Join(protocol::Join),
    /// `leave`.
    Leave(RoomSlug),
    /// `send`.
    Send(protocol::Send),
    /// `edit`, `delete`, `react` or `set_title`, by the deed that it does in a room.
    Act(RoomSlug, Option<Epoch>, Deed),
    /// `history`.
    History(protocol::History),
}

impl Ask {
    /// For the trace.
    pub fn describe(&self) -> String {
        match self {
            Self::Join(join) => match &join.from {
                Some(from) => format!("join {} from {} of {}", join.room, from.seq, from.epoch),
                None => format!("join {} afresh", join.room),
            },
            Self::Leave(room) => format!("leave {room}"),
            Self::Send(send) => {
                let ids: Vec<_> = send
                    .messages
                    .iter()
                    .map(|message| message.client_id.as_str())
                    .collect();
                format!("send to {} {}", send.room, ids.join(" "))
            }
            Self::Act(room, _, deed) => format!("in {room} {deed:?}"),
            Self::History(history) => match (history.before, history.after) {
                (Some(before), _) => format!("history before {before}"),
                (_, Some(after)) => format!("history after {after}"),
                _ => "history".to_owned(),
            },
        }
    }
}

/// The server's answer.
#[derive(Clone, Debug)]
pub enum Answer {
    /// To `join`.
    Joined(Joined),
    /// To a command that stored something in a room.
    Sent(RoomSlug, Receipts),
    /// To `history`.
    History(HistoryAnswer),
    /// A refusal.
    Refused(Refusal),
}

impl Answer {
    /// For the trace.
    pub fn describe(&self) -> String {
        match self {
            Self::Joined(joined) => {
                let (seq, epoch, count) = (joined.head.seq, &joined.head.epoch, joined.events.len());
                let reset = joined.page.is_some();
                let here: Vec<_> = joined
                    .roster
                    .people
                    .iter()
                    .map(|person| person.name.as_str())
                    .collect();
                format!(
                    "joined {} at {seq} of {epoch} with {count} events, reset {reset}, here {here:?}",
                    joined.room
                )
            }
            Self::Sent(_, receipts) => {
                let position =
                    |receipt: &protocol::Receipt| format!("{} at {}", receipt.client_id, receipt.seq);
                let positions: Vec<_> = receipts.receipts.iter().map(position).collect();
                format!("stored {}", positions.join(", "))
            }
            Self::History(HistoryAnswer::Page(page)) => {
                format!(
                    "messages {} to {} at {}",
                    page.covers.first, page.covers.last, page.head
                )
            }
            Self::History(HistoryAnswer::Events(stretch)) => {
                let seqs = stretch.events.first().zip(stretch.events.last());
                match seqs {
                    Some((first, last)) => format!("events {} to {}", first.seq, last.seq),
                    None => "no events".to_owned(),
                }
            }
            Self::Refused(refusal) => format!("refused: {refusal}"),
        }
    }
}

/// A command on its way, with the number of its acknowledgement.
pub type Request = (u32, Ask);

/// What a server sends.
#[derive(Clone, Debug)]
pub enum Told {
    /// The answer to the command with that number.
    Answer(u32, Box<Answer>),
    /// Events of the room.
    Events(Events),
    /// The client must load the room again.
    Reset(Reset),
    /// People came and went.
    Presence(PresenceUpdate),
    /// Who is here.
    Roster(RosterUpdate),
}

/// True while a connection carries anything.
#[derive(Clone)]
pub struct Cable(Rc<Cell<bool>>);

impl Cable {
    fn whole() -> Self {
        Self(Rc::new(Cell::new(true)))
    }

    /// Cuts it. Data in transit is lost, and neither end is told.
    pub fn cut(&self) {
        self.0.set(false);
    }
}

/// One direction of a connection. Clones are the same direction.
#[derive(Clone)]
pub struct Pipe<T> {
    world: World,
    cable: Cable,
    queue: UnboundedSender<(u64, T)>,
    last_due: Rc<Cell<u64>>,
}

/// A direction and its receiving end, which ends when every clone of the pipe is dropped.
pub fn pipe<T: 'static>(world: &World, cable: &Cable) -> (Pipe<T>, LocalBoxStream<'static, T>) {
    let (queue, out) = unbounded();
    let pipe = Pipe {
        world: world.clone(),
        cable: cable.clone(),
        queue,
        last_due: Rc::default(),
    };
    (pipe, arriving(world.clone(), cable.clone(), out))
}

fn arriving<T: 'static>(
    world: World,
    cable: Cable,
    out: UnboundedReceiver<(u64, T)>,
) -> LocalBoxStream<'static, T> {
    let arrive = move |(due, what)| {
        let (arrival, cable) = (world.time.sleep_until(due), cable.clone());
        async move {
            arrival.await;
            cable.0.get().then_some(what)
        }
    };
    out.then(arrive)
        .filter_map(|what| async move { what })
        .boxed_local()
}

impl<T> Pipe<T> {
    /// Sends something, unless the cable is cut.
    pub fn send(&self, what: T) {
        let dice = &self.world.dice;
        let delay = if dice.fault(25) {
            dice.between(0..=3_000)
        } else {
            dice.between(1..=40)
        };
        let due = self.last_due.get().max(self.world.time.millis() + delay);
        self.last_due.set(due);
        if self.cable.0.get() {
            let _gone = self.queue.unbounded_send((due, what));
        }
    }
}

/// A client's end of a connection.
pub struct Connection {
    /// Both directions share this cable.
    pub cable: Cable,
    /// To the server.
    pub up: Pipe<Request>,
}

/// A server's end of a connection.
pub struct Accepted {
    /// Different for each connection.
    pub number: u128,
    /// Both directions share this cable.
    pub cable: Cable,
    /// To the client.
    pub down: Pipe<Told>,
    /// What arrives from the client.
    pub inbox: LocalBoxStream<'static, Request>,
}

/// Both ends of a new connection, and what arrives at the client.
pub fn connect(world: &World) -> (Connection, LocalBoxStream<'static, Told>, Accepted) {
    let cable = Cable::whole();
    let (up, inbox) = pipe(world, &cable);
    let (down, told) = pipe(world, &cable);
    let number = world.dice.random();
    let accepted = Accepted {
        number,
        cable: cable.clone(),
        down,
        inbox,
    };
    (Connection { cable, up }, told, accepted)
}
