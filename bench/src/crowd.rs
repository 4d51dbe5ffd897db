//! The clients: they connect, join, send on schedule, and record what they hear.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet, spawn_local};
use tokio::time::{sleep, timeout};

use crate::dialect::{Dialect, Heard};
use crate::ledger::{Mark, Packets, Received, Tally};
use crate::pace::Pace;
use crate::wire::Wire;

/// How many clients connect at the same time.
const AT_ONCE: usize = 100;
/// How long to wait for an answer.
const ANSWER: Duration = Duration::from_secs(60);
/// Characters in a message: a sentence or two.
pub const TEXT: usize = 120;

/// A room under load, and its recent packets.
pub struct LoadedRoom {
    /// Its address.
    pub slug: String,
    packets: RefCell<Packets>,
}

impl LoadedRoom {
    fn new(slug: String) -> Rc<Self> {
        Rc::new(Self {
            slug,
            packets: RefCell::default(),
        })
    }
}

/// One client in one room.
pub struct Client {
    wire: Wire,
    dialect: Dialect,
    /// The room it is in.
    pub room: Rc<LoadedRoom>,
    /// Its number among the room's members.
    member: u32,
    /// How many messages it sent.
    pub sent: Cell<u32>,
    /// How many messages were acknowledged.
    pub acknowledged: Cell<u32>,
    /// When the unacknowledged messages were due.
    waiting: RefCell<VecDeque<u64>>,
    /// True to send the next message with each acknowledgement.
    pub chained: Cell<bool>,
    received: RefCell<Received>,
}

impl Client {
    /// Connects, signs in, and joins if the plan says so.
    async fn enter(plan: &Plan<'_>, member: usize, room: Rc<LoadedRoom>) -> io::Result<Rc<Self>> {
        let (replica, dialect, name) = (
            member % plan.addresses.len(),
            plan.dialect,
            format!("Bench {member}"),
        );
        let wire = Wire::connect(plan.addresses[replica]).await?;
        greet(&wire, dialect, &name, None).await?;
        if dialect == Dialect::Hubbub {
            ask(
                &wire,
                dialect,
                1,
                &dialect.ask(1, "sign_in", &json!({ "name": name })),
            )
            .await?;
        }
        if plan.join {
            ask(&wire, dialect, 2, &dialect.join(2, &room.slug, &name)).await?;
        }
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Ok(Rc::new(Self {
            wire,
            dialect,
            room,
            member: number(member),
            sent: Cell::new(0),
            acknowledged: Cell::new(0),
            waiting: RefCell::default(),
            chained: Cell::new(false),
            received: RefCell::new(Received::at(number(replica))),
        }))
    }

    /// Sends one message that was due at this time.
    pub fn send(&self, due: u64) -> io::Result<()> {
        let sender = self.member;
        let mark = Mark {
            sender,
            number: self.sent.replace(self.sent.get() + 1),
            due,
        };
        self.waiting.borrow_mut().push_back(due);
        if self.dialect == Dialect::Example {
            self.received.borrow_mut().own(mark);
        }
        let client_id = format!("b-{sender}-{}", mark.number);
        self.wire.send(
            &self
                .dialect
                .message(mark.number + 10, &self.room.slug, &client_id, &mark.text(TEXT)),
        )
    }

    /// Records what arrives, until the connection ends.
    async fn listen(&self, tally: &RefCell<Tally>, acks: &RefCell<Acks>) -> io::Error {
        let mut wrong = None;
        loop {
            let received = self.wire.receive(|text| match self.dialect.heard(text) {
                Heard::Messages(event) => {
                    let marks = self.room.packets.borrow_mut().marks(event);
                    tally.borrow_mut().take(&mut self.received.borrow_mut(), &marks);
                }
                Heard::Answer(_, answer) => {
                    let now = tally.borrow().now();
                    let due = self.waiting.borrow_mut().pop_front().unwrap_or(now);
                    acks.borrow_mut().take(answer, now.saturating_sub(due));
                    self.acknowledged.set(self.acknowledged.get() + 1);
                    if self.chained.get()
                        && let Err(error) = self.send(now)
                    {
                        wrong = Some(error);
                    }
                }
                Heard::Other => {}
            });
            match received.await {
                Ok(()) if wrong.is_none() => {}
                Ok(()) => return wrong.unwrap_or_else(|| io::ErrorKind::Other.into()),
                Err(error) => return error,
            }
        }
    }
}

/// The answers to messages.
pub struct Acks {
    /// From when a message was due until its acknowledgement, in microseconds.
    pub latency: hdrhistogram::Histogram<u64>,
    /// How many were refused. `why` is the first refusal.
    pub refused: u64,
    why: Option<String>,
}

impl Acks {
    fn take(&mut self, answer: &[u8], micros: u64) {
        self.latency.saturating_record(micros.max(1));
        if answer.starts_with(br#"[{"error""#) {
            self.refused += 1;
            self.why
                .get_or_insert_with(|| String::from_utf8_lossy(answer).into_owned());
        }
    }
}

/// The clients to gather.
#[derive(Clone, Copy)]
pub struct Plan<'a> {
    /// The server's protocol.
    pub dialect: Dialect,
    /// The addresses of its replicas: member n of a room connects to number n, in rotation.
    pub addresses: &'a [SocketAddr],
    /// How many rooms.
    pub rooms: usize,
    /// Members of each room.
    pub members: usize,
    /// True if they join and hear events. Hubbub also lets people send without joining.
    pub join: bool,
}

/// Clients in rooms, and what all of them heard.
pub struct Crowd {
    /// All clients, grouped by room.
    pub clients: Vec<Rc<Client>>,
    /// What they received.
    pub tally: Rc<RefCell<Tally>>,
    /// How they were answered.
    pub acks: Rc<RefCell<Acks>>,
    joined: bool,
    lost: Rc<Cell<u64>>,
    listening: Vec<AbortHandle>,
}

impl Crowd {
    /// Opens the rooms and connects every client.
    pub async fn gather(plan: Plan<'_>) -> io::Result<Self> {
        let rooms = open_rooms(plan.dialect, plan.addresses[0], plan.rooms).await?;
        let addresses: Rc<[SocketAddr]> = plan.addresses.into();
        let members = rooms
            .iter()
            .flat_map(|room| (0..plan.members).map(move |n| (n, Rc::clone(room))));
        let gate = Rc::new(Semaphore::new(AT_ONCE));
        let mut entering = JoinSet::new();
        for (at, (n, room)) in members.enumerate() {
            let (gate, addresses) = (Rc::clone(&gate), Rc::clone(&addresses));
            let Plan {
                dialect,
                rooms,
                members,
                join,
                ..
            } = plan;
            entering.spawn_local(async move {
                let _permit = gate.acquire().await;
                let plan = Plan {
                    dialect,
                    addresses: &addresses,
                    rooms,
                    members,
                    join,
                };
                Client::enter(&plan, n, room).await.map(|client| (at, client))
            });
        }
        let mut clients = Vec::new();
        while let Some(entered) = entering.join_next().await {
            clients.push(entered.map_err(io::Error::other)??);
        }
        clients.sort_by_key(|(at, _)| *at);
        let mut crowd = Self {
            clients: clients.into_iter().map(|(_, client)| client).collect(),
            tally: Rc::new(RefCell::new(Tally::new(
                Instant::now(),
                u32::try_from(plan.addresses.len()).unwrap_or(1),
            ))),
            joined: plan.join,
            acks: Rc::new(RefCell::new(Acks {
                latency: crate::ledger::latencies(),
                refused: 0,
                why: None,
            })),
            lost: Rc::default(),
            listening: Vec::new(),
        };
        for client in &crowd.clients {
            let (client, tally, acks, lost) = (
                Rc::clone(client),
                Rc::clone(&crowd.tally),
                Rc::clone(&crowd.acks),
                Rc::clone(&crowd.lost),
            );
            let listening = spawn_local(async move {
                let _ended = client.listen(&tally, &acks).await;
                lost.set(lost.get() + 1);
            });
            crowd.listening.push(listening.abort_handle());
        }
        Ok(crowd)
    }

    /// Sends messages on a schedule that waits for no answer: `rate` per second, the senders in rotation.
    pub async fn send_at_rate(&self, senders: &[Rc<Client>], rate: f64, lasting: Duration) -> io::Result<()> {
        let first = self.tally.borrow().now() + 1_000;
        let count = (rate * lasting.as_secs_f64()).round();
        let (mut n, mut pace) = (0.0, Pace::new()?);
        for sender in senders.iter().cycle() {
            if n >= count {
                break;
            }
            // Always a small positive number of microseconds.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "in range by construction"
            )]
            let due = first + (n * 1e6 / rate) as u64;
            loop {
                if self.tally.borrow().now() >= due {
                    break;
                }
                let at = self.tally.borrow().at(due);
                pace.until(at).await?;
            }
            sender.send(due)?;
            n += 1.0;
            if self.lost.get() > 0 {
                return Err(self.lost_connections());
            }
        }
        Ok(())
    }

    /// Each sender sends its next message as soon as one is acknowledged, and keeps `ahead` messages in flight.
    pub async fn chain(&self, senders: &[Rc<Client>], ahead: usize, lasting: Duration) -> io::Result<()> {
        for sender in senders {
            sender.chained.set(true);
            for _ in 0..ahead {
                sender.send(self.tally.borrow().now())?;
            }
        }
        sleep(lasting).await;
        for sender in senders {
            sender.chained.set(false);
        }
        if self.lost.get() > 0 {
            Err(self.lost_connections())
        } else {
            Ok(())
        }
    }

    /// Waits until every member has received all messages, and all are acknowledged.
    pub async fn settled(&self, patience: Duration) -> io::Result<()> {
        let joined = if self.joined { u64::MAX } else { 0 };
        let of = |room: &[Rc<Client>]| {
            let sent: u64 = room.iter().map(|client| u64::from(client.sent.get())).sum();
            let own = room.iter().any(|client| client.dialect == Dialect::Example);
            sent * joined.min(room.len() as u64 - u64::from(own))
        };
        let expected: u64 = self.by_room().map(of).sum();
        let over = || {
            self.tally.borrow().delivered >= expected
                && self
                    .clients
                    .iter()
                    .all(|client| client.acknowledged.get() >= client.sent.get())
        };
        let waiting = timeout(patience, async {
            while !over() && self.lost.get() == 0 {
                sleep(Duration::from_millis(5)).await;
            }
        });
        // The verdict counts what is still missing.
        let _late = waiting.await;
        if self.lost.get() > 0 {
            Err(self.lost_connections())
        } else {
            Ok(())
        }
    }

    /// Returns an error sentence if anything was lost, doubled, reordered or refused.
    pub fn verdict(&self, one_order: bool) -> Result<(), String> {
        let acks = self.acks.borrow();
        if let Some(why) = &acks.why {
            return Err(format!("{} refused: {why}", acks.refused));
        }
        let unanswered: u32 = self
            .clients
            .iter()
            .map(|client| client.sent.get() - client.acknowledged.get().min(client.sent.get()))
            .sum();
        if unanswered > 0 {
            return Err(format!("{unanswered} not acknowledged"));
        }
        for room in self.by_room().filter(|_| self.joined) {
            let sent: Vec<u32> = room.iter().map(|client| client.sent.get()).collect();
            let received: Vec<Received> = room
                .iter()
                .map(|client| client.received.borrow().clone())
                .collect();
            self.tally.borrow().verdict(&sent, &received, one_order)?;
        }
        Ok(())
    }

    fn by_room(&self) -> impl Iterator<Item = &[Rc<Client>]> {
        self.clients
            .chunk_by(|one, other| Rc::ptr_eq(&one.room, &other.room))
    }

    fn lost_connections(&self) -> io::Error {
        io::Error::other(format!(
            "{} of {} connections ended",
            self.lost.get(),
            self.clients.len()
        ))
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for listening in &self.listening {
            listening.abort();
        }
    }
}

/// Connects to the namespace.
pub async fn greet(wire: &Wire, dialect: Dialect, name: &str, token: Option<&str>) -> io::Result<()> {
    wire.send(&dialect.connect(name, token))?;
    within(async {
        let mut connected = false;
        while !connected {
            wire.receive(|text| connected |= text.starts_with(dialect.connected()))
                .await?;
        }
        Ok(())
    })
    .await
}

/// Sends a command and returns its answer.
pub async fn ask(wire: &Wire, dialect: Dialect, id: u32, packet: &str) -> io::Result<Value> {
    let answer: Value = serde_json::from_slice(&ask_for_bytes(wire, dialect, id, packet).await?)?;
    match answer.get(0).and_then(|answer| answer.get("error")) {
        Some(error) => Err(io::Error::other(format!("refused: {error}"))),
        None => Ok(answer),
    }
}

/// The same with an unparsed answer: parsing thousands of long ones would load the generator, not the server.
pub async fn ask_for_bytes(wire: &Wire, dialect: Dialect, id: u32, packet: &str) -> io::Result<Vec<u8>> {
    wire.send(packet)?;
    within(async {
        let mut answer = None;
        while answer.is_none() {
            wire.receive(|text| {
                if let Heard::Answer(number, body) = dialect.heard(text)
                    && number == id
                {
                    answer = Some(body.to_vec());
                }
            })
            .await?;
        }
        Ok(answer.unwrap_or_default())
    })
    .await
}

async fn within<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(ANSWER, work)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Rooms opened by this process so far.
static OPENED: AtomicU32 = AtomicU32::new(0);

/// Opens new rooms.
async fn open_rooms(dialect: Dialect, address: SocketAddr, count: usize) -> io::Result<Vec<Rc<LoadedRoom>>> {
    if dialect != Dialect::Hubbub {
        return Ok((0..count)
            .map(|_| LoadedRoom::new(format!("bench-{}", OPENED.fetch_add(1, Ordering::Relaxed))))
            .collect());
    }
    let wire = Wire::connect(address).await?;
    greet(&wire, dialect, "Bench", None).await?;
    ask(
        &wire,
        dialect,
        1,
        &dialect.ask(1, "sign_in", &json!({ "name": "Bench" })),
    )
    .await?;
    let mut rooms = Vec::new();
    for n in 0..count {
        // Rooms of an earlier crowd may still exist.
        let opened = OPENED.fetch_add(1, Ordering::Relaxed);
        let title = format!("Bench {opened}");
        let id = 2 + u32::try_from(n).unwrap_or(u32::MAX - 2);
        let answer = ask(
            &wire,
            dialect,
            id,
            &dialect.ask(id, "create_room", &json!({ "title": title })),
        )
        .await?;
        let slug = answer.pointer("/0/ok/room").and_then(Value::as_str);
        rooms.push(LoadedRoom::new(
            slug.ok_or_else(|| io::Error::other("the server returned a room without an address"))?
                .to_owned(),
        ));
    }
    Ok(rooms)
}
