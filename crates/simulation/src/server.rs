//! A replica: the real hub, and around it what `server/src/socket` does. It handles each connection's commands in
//! order of arrival (`inbox.rs`), stores neighbouring sends together (`send.rs`), and follows before it reads
//! (`join.rs`).

mod fanout;

use std::cell::RefCell;
use std::rc::Rc;

use chat::{Caller, ChatError, ClientAddress, ConnectionId, Followers, Hub, SendTogether};
use futures::future::AbortHandle;
use futures::{FutureExt, StreamExt};
use protocol::{ErrorCode, Joined, Person, Receipts, Refusal};

use crate::backend;
use crate::link::{Accepted, Answer, Ask, Cable, Pipe, Told};
use crate::store::Store;
use crate::world::World;
use fanout::{Audience, Hold};

/// One replica, across restarts.
pub struct Replica {
    world: World,
    store: Store,
    number: usize,
    /// Set while the process is up.
    hub: RefCell<Option<Hub>>,
    followers: RefCell<Followers<Audience>>,
    cables: RefCell<Vec<Cable>>,
    /// Everything that ends with the process.
    tasks: RefCell<Vec<AbortHandle>>,
}

impl Replica {
    /// A replica that has not started.
    pub fn new(world: &World, store: &Store, number: usize) -> Rc<Self> {
        Rc::new(Self {
            world: world.clone(),
            store: store.clone(),
            number,
            hub: RefCell::default(),
            followers: RefCell::default(),
            cables: RefCell::default(),
            tasks: RefCell::default(),
        })
    }

    /// Starts the process; retries until the storage answers.
    pub async fn start(&self) {
        while self.hub.borrow().is_none() {
            let opened = Hub::open(backend::ports(&self.world, &self.store));
            match opened.await {
                Ok(hub) => {
                    self.hub.replace(Some(hub));
                    self.world.note(|| format!("replica {} is up", self.number));
                }
                Err(_) => self.world.time.sleep(500).await,
            }
        }
    }

    /// Kills the process: its work stops at once and its connections end.
    pub fn kill(&self) {
        self.world.note(|| format!("replica {} is killed", self.number));
        self.hub.replace(None);
        for task in self.tasks.take() {
            task.abort();
        }
        for cable in self.cables.take() {
            cable.cut();
        }
        self.followers.replace(Followers::default());
    }

    /// True while the process is up.
    pub fn is_up(&self) -> bool {
        self.hub.borrow().is_some()
    }

    /// The hub, while the process is up.
    pub fn hub(&self) -> Option<Hub> {
        self.hub.borrow().clone()
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) -> AbortHandle {
        let handle = self.world.spawn_abortable(task);
        let mut tasks = self.tasks.borrow_mut();
        tasks.retain(|task| !task.is_aborted());
        tasks.push(handle.clone());
        handle
    }

    /// Accepts a connection.
    pub fn accept(self: &Rc<Self>, person: Person, accepted: Accepted) {
        let Some(hub) = self.hub() else { return };
        let connection = Served {
            replica: Rc::clone(self),
            hub,
            person,
            number: accepted.number,
            id: ConnectionId(accepted.number.to_string().into()),
            down: accepted.down.clone(),
            hold: None,
        };
        self.cables.borrow_mut().push(accepted.cable.clone());
        self.spawn(connection.serve(accepted));
    }
}

/// One connection at its replica.
struct Served {
    replica: Rc<Replica>,
    hub: Hub,
    person: Person,
    number: u128,
    id: ConnectionId,
    down: Pipe<Told>,
    /// Set while it is in the room.
    hold: Option<Hold>,
}

impl Served {
    /// Handles one command after another.
    async fn serve(mut self, accepted: Accepted) {
        let mut inbox = accepted.inbox;
        let mut found = None;
        loop {
            let next = match found.take() {
                Some(request) => Some(request),
                None => inbox.next().await,
            };
            let Some((number, ask)) = next else { break };
            match ask {
                Ask::Join(join) => {
                    let answer = self.join(join).await;
                    self.reply(number, answer.map(Answer::Joined));
                }
                Ask::History(history) => {
                    let stretch = self.hub.ask(&self.caller(), history).await;
                    self.reply(number, stretch.map(Answer::Stretch).map_err(refuse));
                }
                Ask::Send(send) => {
                    let mut batch = vec![(number, send)];
                    while let Some(Some(next)) = inbox.next().now_or_never() {
                        match next {
                            (number, Ask::Send(send)) => batch.push((number, send)),
                            other => {
                                found = Some(other);
                                break;
                            }
                        }
                    }
                    self.send(batch).await;
                }
            }
        }
    }

    async fn join(&mut self, join: protocol::Join) -> Result<Joined, Refusal> {
        let dice = &self.replica.world.dice;
        if dice.fault(5) {
            // Many clients join at once.
            let turn = dice.between(1..=5_000);
            return Err(Refusal::new(ErrorCode::Busy, "wait for your turn").retry_after_ms(turn));
        }
        let known = self.hold.is_some();
        if !known {
            let mut hold = Hold::take(&self.replica, &self.hub).await?;
            hold.hear(self.number, &self.down);
            self.hold = Some(hold);
        }
        let joined = self.hub.ask(&self.caller(), join).await;
        if joined.is_err() && !known {
            self.hold = None;
        }
        joined.map_err(refuse)
    }

    /// Stores the messages of several commands together.
    async fn send(&self, batch: Vec<(u32, protocol::Send)>) {
        let numbers: Vec<_> = batch.iter().map(|(number, _)| *number).collect();
        let stored = if self.replica.world.dice.fault(60) {
            // A fault that an automatic retry does not solve.
            Err(Refusal::new(ErrorCode::Internal, "a fault of the server"))
        } else {
            self.store(batch.into_iter().map(|(_, send)| send))
                .await
                .map_err(refuse)
        };
        match stored {
            Ok(receipts) => {
                for (number, receipts) in numbers.into_iter().zip(receipts) {
                    self.reply(number, Ok(Answer::Sent(receipts)));
                }
            }
            Err(refusal) => {
                for number in numbers {
                    self.reply(number, Err(refusal.clone()));
                }
            }
        }
    }

    async fn store(&self, sends: impl Iterator<Item = protocol::Send>) -> Result<Vec<Receipts>, ChatError> {
        let caller = self.caller();
        let admitted = sends
            .map(|send| self.hub.admit(&caller, send))
            .collect::<Result<_, _>>()?;
        self.hub.ask(&caller, SendTogether(admitted)).await
    }

    fn caller(&self) -> Caller<'_> {
        Caller {
            address: ClientAddress::UNKNOWN,
            person: Some(&self.person),
            connection: Some(&self.id),
        }
    }

    /// Sends the answer; some answers get lost.
    fn reply(&self, number: u32, answer: Result<Answer, Refusal>) {
        if !self.replica.world.dice.fault(40) {
            let answer = answer.unwrap_or_else(Answer::Refused);
            self.down.send(Told::Answer(number, Box::new(answer)));
        }
    }
}

fn refuse(error: ChatError) -> Refusal {
    Refusal::from(&error)
}
