//! Messages do not wait for the roster of a crowded room.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use backend::{Local, RandomIds, Sqlite, SystemClock};
use chat::followers::Listener;
use chat::followers::pack::Pack;
use chat::followers::telling::{Outlet, Said, Telling, Trouble};
use chat::hub::Ports;
use chat::ports::{Presence, PresenceChange};
use chat::{ConnectionId, Hub, RoomUpdate, StoreError};
use futures::channel::mpsc::{UnboundedSender, unbounded};
use futures::stream::{self, BoxStream, StreamExt};
use protocol::{Person, PersonId, Position, PresenceList, RoomSlug, Seq};
use testkit::sample::{entry, person};
use testkit::within;

/// More people than are announced one by one.
const CROWD: usize = 300;

/// Never returns a roster.
struct Mute;

#[async_trait]
impl Presence for Mute {
    async fn enter(&self, _: &RoomSlug, _: &Person, _: &ConnectionId) -> Result<(), StoreError> {
        Ok(())
    }

    async fn leave(&self, _: &RoomSlug, _: &PersonId, _: &ConnectionId) -> Result<(), StoreError> {
        Ok(())
    }

    async fn roster(&self, _: &RoomSlug, _: u32) -> Result<PresenceList, StoreError> {
        std::future::pending().await
    }

    async fn counts(&self, rooms: &[RoomSlug]) -> Result<Vec<u32>, StoreError> {
        Ok(vec![0; rooms.len()])
    }

    async fn occupied(&self, _: u32) -> Result<Vec<RoomSlug>, StoreError> {
        Ok(Vec::new())
    }

    async fn typing(&self, _: &RoomSlug, _: &Person, _: bool) -> Result<(), StoreError> {
        Ok(())
    }

    async fn follow(&self, _: &RoomSlug) -> Result<BoxStream<'static, PresenceChange>, StoreError> {
        Ok(stream::pending().boxed())
    }
}

/// Passes on the number of events in each packet.
struct Ears(UnboundedSender<usize>);

impl Outlet for Ears {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    async fn sleep_until(&self, _: Duration) {}

    fn every(&self, _: Duration) -> BoxStream<'static, ()> {
        stream::pending().boxed()
    }

    fn members(&self) -> u32 {
        1
    }

    async fn tell(&self, said: Vec<Said<'_>>, _: &Pack) {
        for said in said {
            if let Said::Events(events) = said {
                self.0.unbounded_send(events.len()).expect("the test listens");
            }
        }
    }

    fn note(&self, trouble: Trouble<'_>) {
        panic!("{trouble:?}");
    }
}

#[tokio::test]
async fn messages_do_not_wait_for_the_roster_of_a_crowd() {
    within(async {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let sqlite = Sqlite::open(folder.path(), Arc::new(Local::default()));
        let sqlite = Arc::new(sqlite.expect("an empty folder can be opened"));
        let ports = Ports {
            log: sqlite.clone(),
            directory: sqlite.clone(),
            accounts: sqlite,
            presence: Arc::new(Mute),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
        };
        let hub = Hub::open(ports).await.expect("the hub opens");
        let said = entry(1);
        let epoch = said.event.epoch.clone();
        let came = (0..CROWD).map(|number| {
            let who = person(&format!("P{number}"));
            RoomUpdate::Presence(PresenceChange::Entered(who, 1))
        });
        // All updates are ready before any packet leaves.
        let updates = came.chain([RoomUpdate::Events(vec![Arc::new(said)])]);
        let updates = stream::iter(updates.collect::<Vec<_>>()).chain(stream::pending());
        let (sender, mut told) = unbounded();
        let mut telling = Telling::new(hub, RoomSlug::lobby(), Ears(sender));
        let mut head = Position {
            epoch,
            seq: Seq::ZERO,
        };
        let deliver = telling.deliver(updates.boxed(), &mut head);
        tokio::select! {
            () = deliver => panic!("the stream does not end"),
            events = told.next() => assert_eq!(events, Some(1)),
        }
    })
    .await;
}
