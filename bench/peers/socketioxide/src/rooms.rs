//! What the benchmark's peers do for a client: rooms, join with history, broadcast. All state is in this process's
//! memory.

use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    future::{Ready, ready},
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use socketioxide::{
    SocketIo,
    adapter::Adapter,
    extract::{AckSender, Data, Extension, SocketRef, State, TryData},
    socket::Sid,
};
use tokio::sync::mpsc;

const HISTORY: usize = 50;

#[derive(Deserialize)]
pub struct Handshake {
    name: Option<String>,
}

/// A client's message.
#[derive(Deserialize)]
pub struct Post {
    room: String,
    client_id: String,
    text: String,
}

/// What everybody in the room hears.
#[derive(Serialize)]
struct Message {
    room: String,
    seq: u64,
    at: u64,
    author: Author,
    client_id: String,
    text: String,
}

#[derive(Clone, Serialize)]
pub struct Author {
    id: Sid,
    name: Arc<str>,
}

#[derive(Serialize)]
struct Joined<'a> {
    events: &'a VecDeque<Arc<Message>>,
}

#[derive(Serialize)]
struct Accepted {
    seq: u64,
}

/// The rooms of this process.
pub struct Rooms<A: Adapter>(Arc<Mutex<HashMap<String, Room<A>>>>);

/// The latest messages of a room, and the queue of the task that numbers and emits new ones.
struct Room<A: Adapter> {
    history: Arc<Mutex<VecDeque<Arc<Message>>>>,
    arrivals: mpsc::UnboundedSender<Arrival<A>>,
}

type Arrival<A> = (Post, Author, AckSender<A>);

/// Registers the handlers. This is a middleware because it finishes before the client learns that it is connected:
/// handlers registered by the connect handler miss events sent at once.
pub async fn register<A: Adapter>(
    socket: SocketRef<A>,
    TryData(handshake): TryData<Handshake>,
) -> Result<(), Infallible> {
    let name = handshake.ok().and_then(|handshake| handshake.name);
    socket.extensions.insert(Author {
        id: socket.id,
        name: name.as_deref().unwrap_or("anonymous").into(),
    });
    socket.on("join", on_join);
    socket.on("message", on_message);
    Ok(())
}

/// Nothing is emitted on connect.
pub async fn on_connect<A: Adapter>(_socket: SocketRef<A>) {}

async fn on_join<A: Adapter>(
    socket: SocketRef<A>,
    io: SocketIo<A>,
    State(rooms): State<Rooms<A>>,
    Data(name): Data<String>,
    ack: AckSender<A>,
) {
    socket.join(name.clone());
    let history = rooms.with(&name, &io, |room| room.history.clone());
    let events = &*history.lock().expect("no thread panics with it");
    // A client that has left needs no answer.
    let _ = ack.send(&Joined { events });
}

/// Not an `async fn`: only what runs before the future does so in the order in which the client sent.
fn on_message<A: Adapter>(
    io: SocketIo<A>,
    State(rooms): State<Rooms<A>>,
    Extension(author): Extension<Author>,
    Data(post): Data<Post>,
    ack: AckSender<A>,
) -> Ready<()> {
    let name = post.room.clone();
    // A room's task lives as long as the process.
    rooms.with(&name, &io, |room| {
        let _ = room.arrivals.send((post, author, ack));
    });
    ready(())
}

impl<A: Adapter> Rooms<A> {
    fn with<T>(&self, name: &str, io: &SocketIo<A>, act: impl FnOnce(&Room<A>) -> T) -> T {
        let mut rooms = self.0.lock().expect("no thread panics with it");
        if let Some(room) = rooms.get(name) {
            return act(room);
        }
        act(rooms
            .entry(name.to_owned())
            .or_insert_with(|| Room::open(io.clone())))
    }
}

impl<A: Adapter> Room<A> {
    /// One task per room, so that everybody hears its messages in the order of their numbers.
    fn open(io: SocketIo<A>) -> Self {
        let history = Arc::new(Mutex::new(VecDeque::with_capacity(HISTORY)));
        let (arrivals, arriving) = mpsc::unbounded_channel();
        tokio::spawn(emit(io, Arc::clone(&history), arriving));
        Self { history, arrivals }
    }
}

async fn emit<A: Adapter>(
    io: SocketIo<A>,
    history: Arc<Mutex<VecDeque<Arc<Message>>>>,
    mut arriving: mpsc::UnboundedReceiver<Arrival<A>>,
) {
    let mut seq = 0;
    while let Some((post, author, ack)) = arriving.recv().await {
        seq += 1;
        let message = Arc::new(Message {
            room: post.room,
            seq,
            at: now(),
            author,
            client_id: post.client_id,
            text: post.text,
        });
        // Before emitting: a client that joins meanwhile hears it twice rather than never.
        remember(&history, Arc::clone(&message));
        if let Err(error) = io.to(message.room.clone()).emit("message", &message).await {
            eprintln!("a message did not reach all clients: {error}");
        }
        let _ = ack.send(&Accepted { seq });
    }
}

fn remember(history: &Mutex<VecDeque<Arc<Message>>>, message: Arc<Message>) {
    let mut history = history.lock().expect("no thread panics with it");
    if history.len() == HISTORY {
        history.pop_front();
    }
    history.push_back(message);
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as u64)
}

impl<A: Adapter> Default for Rooms<A> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<A: Adapter> Clone for Rooms<A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
