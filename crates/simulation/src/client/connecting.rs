//! Loads pages and rooms, and keeps a connection to any replica.

use std::rc::Rc;

use chat::Caller;
use client::room::RoomClient;
use futures::StreamExt;
use futures::channel::oneshot;
use futures::future::{Either, select};
use protocol::{History, HistoryAnswer, MessagePage, PresenceList, RoomSlug};

use super::{Client, Pane};
use crate::link::{Ask, connect};
use crate::server::Replica;

impl Client {
    /// Loads the page again. Unsent messages are kept; everything else is gone.
    pub fn reload(self: &Rc<Self>) {
        self.unload();
        let (client, page) = (Rc::clone(self), self.page.get());
        for pane in &self.panes {
            self.open(pane);
        }
        self.world.spawn(async move { client.stay_connected(page).await });
    }

    /// Closes the page for good.
    pub fn close(&self) {
        self.note(|| "closes the page".to_owned());
        self.gone.set(true);
        self.unload();
    }

    fn unload(&self) {
        self.page.set(self.page.get() + 1);
        self.waiting.borrow_mut().clear();
        for pane in &self.panes {
            pane.close();
            pane.aside.take();
        }
        let kept = || {
            self.panes
                .iter()
                .map(|pane| pane.kept.borrow().len())
                .sum::<usize>()
        };
        self.note(|| format!("reloads with {} unsent", kept()));
        if let Some(connection) = self.connection.take() {
            connection.cable.cut();
        }
        self.hang_up.take();
    }

    /// Breaks the network to this client. The client and its replica notice later, independently.
    pub fn cut(&self) {
        let Some(hang_up) = self.hang_up.take() else {
            return;
        };
        self.note(|| "is cut off".to_owned());
        if let Some(connection) = self.connection.borrow().as_ref() {
            connection.cable.cut();
        }
        let noticed = self.world.time.sleep(self.world.dice.between(0..=25_000));
        self.world.spawn(async move {
            noticed.await;
            drop(hang_up);
        });
    }

    /// The load balancer ends the connection, and sends the next one to any replica.
    pub fn route_anew(&self) {
        if self.hang_up.take().is_some() {
            self.note(|| "is routed anew".to_owned());
        }
    }

    /// Leaves one of its rooms, and comes back a while later.
    pub fn step_out(self: &Rc<Self>) {
        let some = self.world.dice.between(0..=self.panes.len() as u64 - 1);
        let pane = Rc::clone(&self.panes[some as usize]);
        let Some(core) = pane.is_open().then(|| pane.close()).flatten() else {
            return;
        };
        self.note(|| format!("leaves {}", pane.room));
        let outbox = core.into_outbox();
        pane.aside.replace(Some(outbox));
        self.waiting
            .borrow_mut()
            .retain(|_, waiting| waiting.pane.room != pane.room);
        if let Some(connection) = self.connection.borrow().as_ref() {
            connection.up.send((0, Ask::Leave(pane.room.clone())));
        }
        let (client, page, visit) = (Rc::clone(self), self.page.get(), pane.visit.get());
        self.world.spawn(async move {
            let back = client.world.dice.between(0..=12_000);
            client.world.time.sleep(back).await;
            if client.page.get() == page && pane.visit.get() == visit {
                client.open(&pane);
            }
        });
    }

    /// Brings a room on the page, from any replica that answers.
    fn open(self: &Rc<Self>, pane: &Rc<Pane>) {
        let (client, pane) = (Rc::clone(self), Rc::clone(pane));
        pane.visit.set(pane.visit.get() + 1);
        let (page, visit) = (self.page.get(), pane.visit.get());
        self.world.spawn(async move {
            let still = || client.page.get() == page && pane.visit.get() == visit;
            let page = loop {
                let pause = client.world.dice.between(20..=1_000);
                client.world.time.sleep(pause).await;
                if !still() {
                    return;
                }
                if let Some(page) = client.load(&pane.room).await {
                    break page;
                }
            };
            if !still() {
                return;
            }
            client.note(|| format!("sees a page of {} at {}", pane.room, page.head));
            let you = Some(client.person.clone());
            let people = PresenceList::default();
            let Ok(title) = pane.room.to_string().try_into() else {
                return;
            };
            let mut core = RoomClient::new(pane.room.clone(), title, you, page, people, str::to_lowercase);
            if let Some(outbox) = pane.aside.take() {
                core.adopt(outbox);
            }
            core.await_outbox();
            pane.show(core);
            client.recover(&pane);
            let connected = client.connection.borrow().is_some();
            client.drive(
                &pane,
                |core, _| {
                    if connected { core.connected() } else { Vec::new() }
                },
            );
        });
    }

    /// The latest messages of a room, if a replica answers.
    async fn load(&self, room: &RoomSlug) -> Option<MessagePage> {
        let latest = History {
            room: room.clone(),
            before: None,
            after: None,
        };
        let hub = self.any_replica().hub()?;
        match hub.ask(&Caller::NOBODY, latest).await.ok()? {
            HistoryAnswer::Page(page) => Some(page),
            HistoryAnswer::Events(_) => None,
        }
    }

    /// As the load balancer chooses. In trouble it does not know yet which replicas are up.
    fn any_replica(&self) -> &Rc<Replica> {
        let dice = &self.world.dice;
        let all = self.replicas.iter();
        let mut known: Vec<_> = all.filter(|replica| dice.faulty() || replica.is_up()).collect();
        if known.is_empty() {
            known.extend(&self.replicas);
        }
        known[dice.between(0..=known.len() as u64 - 1) as usize]
    }

    /// Connects again and again, for as long as the page exists.
    async fn stay_connected(self: Rc<Self>, page: u32) {
        while self.page.get() == page && self.is_there() {
            self.world.time.sleep(self.world.dice.between(50..=2_000)).await;
            self.connected(page).await;
        }
    }

    /// One connection, from beginning to end.
    async fn connected(self: &Rc<Self>, page: u32) {
        let replica = self.any_replica();
        if self.page.get() != page || !replica.is_up() {
            return;
        }
        let (connection, mut told, accepted) = connect(&self.world);
        let (hang_up, mut hung_up) = oneshot::channel();
        self.connection.replace(Some(connection));
        self.hang_up.replace(Some(hang_up));
        self.at.set(replica.number);
        replica.accept(self.person.clone(), accepted);
        self.note(|| format!("is connected to replica {}", replica.number));
        for pane in &self.panes {
            self.drive(pane, |core, _| {
                core.await_outbox();
                core.connected()
            });
            self.recover(pane);
        }
        while let Either::Left((Some(told), _)) = select(told.next(), &mut hung_up).await {
            self.hear(told);
        }
        if self.page.get() == page {
            self.note(|| "is disconnected".to_owned());
            self.connection.replace(None);
            self.hang_up.replace(None);
            for pane in &self.panes {
                pane.tell(RoomClient::disconnected);
            }
            self.waiting.borrow_mut().clear();
        }
    }
}
