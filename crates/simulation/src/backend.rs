//! The truth and the bus as one replica sees them: slow, sometimes away, failing before or after the work is done.

use std::sync::Arc;

use async_trait::async_trait;
use chat::hub::Ports;
use chat::ports::{Directory, NewDeed, RoomLog, Signal};
use chat::{Limit, Listing, Opened, Room, StoreError, Stretch};
use futures::channel::oneshot;
use futures::lock::Mutex;
use futures::stream::BoxStream;
use protocol::{Person, Position, Receipt, RoomSlug, RoomTitle, Seq, Timestamp};
use testkit::Silent;

use crate::bus::{Bus, Process};
use crate::presence::Here;
use crate::time::Time;
use crate::truth::{Connection, Log, Stored, Truth};
use crate::world::{Dice, Hands, World};

/// After how many milliseconds a command without an answer has failed. It may still be carried out.
const PATIENCE: u64 = 8_000;

/// The log and the directory of one process.
struct Backend {
    truth: Truth,
    process: Process,
    time: Time,
    dice: Dice,
    hands: Hands,
    /// Held by the one append that is under way: a process commits one batch after another, and tells the bus in the
    /// same order.
    writer: Mutex<()>,
}

/// The ports that a process opens its hub with, and its presence.
pub fn ports(world: &World, truth: &Truth, bus: &Bus) -> (Ports, Here) {
    let process = bus.process();
    let here = Here::new(world, process.clone());
    let backend = Arc::new(Backend {
        truth: truth.clone(),
        process,
        time: world.time.clone(),
        dice: world.dice.clone(),
        hands: world.hands.clone(),
        writer: Mutex::new(()),
    });
    let ports = Ports {
        log: backend.clone(),
        directory: backend,
        accounts: Arc::new(Silent),
        presence: Arc::new(here.clone()),
        clock: Arc::new(world.time.clone()),
        ids: Arc::new(world.dice.clone()),
    };
    (ports, here)
}

/// The way to a server, or back.
pub async fn travel(time: &Time, dice: &Dice) {
    let ms = if dice.fault(300) {
        dice.between(5_000..=20_000)
    } else if dice.fault(25) {
        dice.between(0..=2_000)
    } else {
        dice.between(0..=4)
    };
    time.sleep(ms).await;
}

/// Fails once in about `n` times, while things fail.
pub fn may_fail(dice: &Dice, n: u32) -> Result<(), StoreError> {
    if dice.fault(n) {
        Err(StoreError::failed("a connection broke"))
    } else {
        Ok(())
    }
}

impl Backend {
    /// Reads something: there, look, and back.
    async fn look<T>(&self, look: impl FnOnce(&Truth) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let connection = self.truth.connect()?;
        travel(&self.time, &self.dice).await;
        may_fail(&self.dice, 25)?;
        connection.turn().await;
        connection.check()?;
        let seen = look(&self.truth)?;
        travel(&self.time, &self.dice).await;
        connection.check()?;
        Ok(seen)
    }

    async fn log<T>(&self, room: &RoomSlug, look: impl FnOnce(&Log) -> T) -> Result<T, StoreError> {
        self.look(|truth| truth.look(room, look)).await
    }
}

/// An append that the truth carries out, even if the process that sent it is killed meanwhile.
struct Append {
    truth: Truth,
    connection: Connection,
    time: Time,
    dice: Dice,
    room: RoomSlug,
    author: Person,
    deeds: Vec<NewDeed>,
    at: Timestamp,
}

impl Append {
    async fn run(self) -> Result<Stored, StoreError> {
        let (time, dice) = (self.time.clone(), self.dice.clone());
        let connection = self.connection.clone();
        travel(&time, &dice).await;
        may_fail(&dice, 20)?;
        connection.turn().await;
        connection.check()?;
        // It waits for the disk, and for the standby.
        time.sleep(dice.between(0..=3)).await;
        if !connection.is_whole() && dice.one_in(2) {
            // The standby does not have it, so nobody has seen it.
            connection.check()?;
        }
        let stored = self.truth.append(&self.room, &self.author, self.deeds, self.at)?;
        travel(&time, &dice).await;
        connection.check()?;
        may_fail(&dice, 20)?;
        Ok(stored)
    }
}

#[async_trait]
impl RoomLog for Backend {
    async fn append(
        &self,
        room: &RoomSlug,
        author: &Person,
        deeds: Vec<NewDeed>,
        at: Timestamp,
    ) -> Result<Vec<Receipt>, StoreError> {
        if self.dice.fault(60) {
            return Err(StoreError::Busy);
        }
        let _turn = self.writer.lock().await;
        let append = Append {
            truth: self.truth.clone(),
            connection: self.truth.connect()?,
            time: self.time.clone(),
            dice: self.dice.clone(),
            room: room.clone(),
            author: author.clone(),
            deeds,
            at,
        };
        let (reply, answer) = oneshot::channel();
        self.hands.spawn(async move {
            // The process may have been killed.
            let _unheard = reply.send(append.run().await);
        });
        let late = || StoreError::failed("no answer in time");
        let answer = self.time.within(PATIENCE, answer).await.ok_or_else(late)?;
        let stored = answer.map_err(StoreError::failed)??;
        self.process.committed(room, &stored.fresh);
        Ok(stored.receipts)
    }

    async fn head(&self, room: &RoomSlug) -> Result<Position, StoreError> {
        self.log(room, Log::head).await
    }

    async fn read(&self, room: &RoomSlug, after: Seq, limit: Limit) -> Result<Stretch, StoreError> {
        self.log(room, |log| log.read(after, limit)).await
    }

    async fn open(&self, room: &RoomSlug, before: Option<Seq>, limit: Limit) -> Result<Opened, StoreError> {
        let open = |log: &Log| Opened {
            room: titled(room, log.title.clone()),
            page: log.messages(before, limit),
        };
        self.log(room, open).await
    }

    async fn follow(&self, room: &RoomSlug) -> Result<BoxStream<'static, Signal>, StoreError> {
        self.log(room, |_| ()).await?;
        self.process.subscribe().await;
        Ok(self.process.follow(room))
    }
}

#[async_trait]
impl Directory for Backend {
    async fn create(&self, room: &Room) -> Result<(), StoreError> {
        self.look(|truth| truth.create(&room.slug, &room.title)).await
    }

    async fn room(&self, slug: &RoomSlug) -> Result<Option<Room>, StoreError> {
        let title = self.look(|truth| Ok(truth.title(slug))).await?;
        Ok(title.map(|title| titled(slug, title)))
    }

    async fn list(&self, _: u32, _: &[RoomSlug]) -> Result<Listing, StoreError> {
        Ok(Listing::default())
    }
}

/// A room with this title.
fn titled(slug: &RoomSlug, title: RoomTitle) -> Room {
    Room {
        slug: slug.clone(),
        title,
        created_at: Timestamp(0),
        last_at: None,
    }
}
