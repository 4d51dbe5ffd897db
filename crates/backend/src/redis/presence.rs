//! Who is in which room. A replica's people stay in Redis while the replica prolongs its leases.
//!
//! While Redis does not answer, nothing fails: a replica answers from what it knows, its own people and the last roster
//! that it heard of, and tells Redis with the next renewal that succeeds.

use std::collections::HashSet;

use async_trait::async_trait;
use chat::ports::{Presence, PresenceChange};
use chat::{ConnectionId, StoreError};
use futures::future::join_all;
use futures::stream::{BoxStream, StreamExt};
use protocol::{DisplayName, Person, PersonId, PresenceList, RoomSlug};

use super::keys::Topic;
use super::known;
use super::local_presence::fingerprint;
use super::replica::{Inner, Redis};
use super::script::{self, Run, Script};
use super::{message, value};
use crate::channels::Received;

/// How long a silent replica counts as alive, in milliseconds. Together with the round of [`super::renewal`], its
/// people disappear well within 15 seconds.
const LEASE_MS: u64 = 9_000;
/// Rooms reported to Redis, or counted, in one call.
const AT_ONCE: usize = 1_000;

impl Inner {
    /// A run of a presence script, with the arguments that all of them share.
    pub(super) fn presence(&self, script: &'static Script, room: &RoomSlug) -> Run {
        Run::new(script, self.keys.presence(room))
            .arg(self.keys.channel(&Topic::Room(room.clone())))
            .arg(self.replica.as_str())
            .number(LEASE_MS)
    }

    /// Tells Redis exactly which connections of this replica are in a room.
    pub(super) async fn settle(&self, room: &RoomSlug) -> Result<(), StoreError> {
        let (digest, everybody) = self.present.everybody(room);
        let mut run = self.presence(&script::SETTLE, room).number(digest);
        for (person, connection) in everybody {
            run = run.arg(person.id.as_str()).arg(&*connection.0);
            run = run.arg(sort_key(&person)).arg(person.name.as_str());
        }
        self.servers.run(run).await?;
        Ok(())
    }

    /// Tells Redis which rooms this replica has people in, for [`Presence::occupied`] on other replicas.
    pub(super) async fn occupy(&self) -> Result<(), StoreError> {
        let rooms = self.present.occupied();
        // The empty first chunk makes Redis expire other replicas' rooms even if this replica has no people.
        for rooms in std::iter::once(&[][..]).chain(rooms.chunks(AT_ONCE)) {
            let mut run = Run::new(&script::OCCUPY, vec![self.keys.occupied()]).number(LEASE_MS);
            for room in rooms {
                run = run.arg(room.as_str());
            }
            self.servers.run(run).await?;
        }
        Ok(())
    }

    /// The roster of a room, which this run returns, or what this replica knows while Redis is away.
    async fn list(&self, run: Run, room: &RoomSlug, limit: u32) -> PresenceList {
        match self.ask(run).await {
            Ok(roster) => {
                self.subscriptions.learn_roster(room, &roster);
                roster
            }
            Err(error) => {
                without(&error);
                self.known(room, limit)
            }
        }
    }

    async fn ask(&self, run: Run) -> Result<PresenceList, StoreError> {
        let answer: Vec<String> = value::read(self.servers.run(run).await?)?;
        let mut answer = answer.into_iter();
        let here = value::number(&value::present(answer.next(), "no count")?)?;
        let mut people = Vec::new();
        while let (Some(id), Some(name)) = (answer.next(), answer.next()) {
            people.push(Person {
                id: value::parsed(id)?,
                name: DisplayName::kept(name),
            });
        }
        Ok(PresenceList {
            people,
            here: u32::try_from(here).unwrap_or(u32::MAX),
            stale: false,
        })
    }

    async fn roster(&self, room: &RoomSlug, limit: u32) -> PresenceList {
        let run = self.presence(&script::ROSTER, room).number(limit.into());
        self.list(run, room, limit).await
    }

    /// What this replica knows itself.
    fn known(&self, room: &RoomSlug, limit: u32) -> PresenceList {
        let known = self.subscriptions.known_roster(room);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        PresenceList {
            stale: true,
            ..known::with(known, self.present.people(room), limit)
        }
    }

    /// The counts of these rooms, as far as one command can tell.
    async fn count(&self, rooms: &[RoomSlug]) -> Vec<Option<u32>> {
        if self.servers.is_cluster() {
            return vec![None; rooms.len()];
        }
        let mut counts = Vec::with_capacity(rooms.len());
        for rooms in rooms.chunks(AT_ONCE) {
            let run = Run::new(&script::COUNTS, self.keys.counts(rooms));
            let answer = self.servers.run(run).await.and_then(value::read::<Vec<i64>>);
            match answer {
                Ok(found) => {
                    let mut found = found.into_iter().map(|count| u32::try_from(count).ok());
                    counts.extend(rooms.iter().map(|_| found.next().flatten()));
                }
                Err(error) => {
                    without(&error);
                    counts.extend(rooms.iter().map(|room| Some(self.known(room, 0).here)));
                }
            }
        }
        counts
    }

    async fn ask_occupied(&self, limit: u32) -> Result<Vec<RoomSlug>, StoreError> {
        let key = self.keys.occupied();
        let mut list = ::redis::cmd("ZREVRANGE");
        list.arg(&key).arg(0).arg(limit - 1);
        let rooms: Vec<String> = value::read(self.servers.send(&key, &list).await?)?;
        rooms.into_iter().map(value::parsed).collect()
    }
}

/// Notes that a call did without Redis. The connection and the renewal say so in the log.
fn without(error: &StoreError) {
    tracing::debug!(%error, "Redis does not answer; going on without");
}

/// The key by which people are sorted: the name in lower case.
fn sort_key(person: &Person) -> String {
    person.name.as_str().to_lowercase()
}

#[async_trait]
impl Presence for Redis {
    async fn enter(
        &self,
        room: &RoomSlug,
        person: &Person,
        connection: &ConnectionId,
    ) -> Result<(), StoreError> {
        let entered = self.enter_and_list(room, person, connection, 0);
        entered.await.map(drop)
    }

    async fn enter_and_list(
        &self,
        room: &RoomSlug,
        person: &Person,
        connection: &ConnectionId,
        limit: u32,
    ) -> Result<PresenceList, StoreError> {
        let entering = self.inner.present.enter(room, person, connection);
        let run = self
            .inner
            .presence(&script::ENTER, room)
            .arg(person.id.as_str())
            .arg(&*connection.0)
            .number(fingerprint(&person.id, connection))
            .arg(sort_key(person))
            .arg(person.name.as_str())
            .number(limit.into());
        let roster = self.inner.list(run, room, limit).await;
        entering.done();
        Ok(roster)
    }

    async fn leave(
        &self,
        room: &RoomSlug,
        person: &PersonId,
        connection: &ConnectionId,
    ) -> Result<(), StoreError> {
        let leaving = self.inner.present.leave(room, person, connection);
        let run = self
            .inner
            .presence(&script::LEAVE, room)
            .arg(person.as_str())
            .arg(&*connection.0)
            .number(fingerprint(person, connection));
        if let Err(error) = self.inner.servers.run(run).await {
            without(&error);
        }
        leaving.done();
        Ok(())
    }

    async fn roster(&self, room: &RoomSlug, limit: u32) -> Result<PresenceList, StoreError> {
        Ok(self.inner.roster(room, limit).await)
    }

    async fn counts(&self, rooms: &[RoomSlug]) -> Result<Vec<u32>, StoreError> {
        let mut counts = self.inner.count(rooms).await;
        // All at once: what could not be counted together, in a cluster because the rooms are in different slots.
        let uncounted = rooms.iter().zip(&mut counts).filter(|(_, count)| count.is_none());
        let counting = uncounted.map(async |(room, count)| {
            *count = Some(self.inner.roster(room, 0).await.here);
        });
        join_all(counting).await;
        Ok(counts.into_iter().map(Option::unwrap_or_default).collect())
    }

    async fn occupied(&self, limit: u32) -> Result<Vec<RoomSlug>, StoreError> {
        if limit == 0 {
            return Ok(vec![]);
        }
        let elsewhere = self.inner.ask_occupied(limit).await.unwrap_or_else(|error| {
            without(&error);
            vec![]
        });
        // Redis learns of this replica's rooms only with the next round.
        let mut rooms: HashSet<_> = self.inner.present.occupied().into_iter().collect();
        rooms.extend(elsewhere);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(rooms.into_iter().take(limit).collect())
    }

    async fn typing(&self, room: &RoomSlug, person: &Person, typing: bool) -> Result<(), StoreError> {
        let channel = self.inner.keys.channel(&Topic::Room(room.clone()));
        let mut publish = ::redis::cmd("SPUBLISH");
        publish.arg(&channel).arg(message::typing(person, typing));
        if let Err(error) = self.inner.servers.send(&channel, &publish).await {
            without(&error);
            let change = PresenceChange::Typing(person.clone(), typing);
            self.inner.subscriptions.tell_here(room, change);
        }
        Ok(())
    }

    async fn follow(&self, room: &RoomSlug) -> Result<BoxStream<'static, PresenceChange>, StoreError> {
        let changes = self.inner.subscriptions.changes.subscribe(room);
        let subscription = self.inner.listen(&Topic::Room(room.clone())).await;
        let changes = changes.map(move |received| {
            // Holds the subscription for as long as this stream lives.
            let _ = &subscription;
            match received {
                Received::Next(change) => change,
                Received::Missed => PresenceChange::Unsure,
            }
        });
        Ok(changes.boxed())
    }
}
