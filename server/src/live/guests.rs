//! The connections that hear the lobby through the namespace `/`, in the words of the public Socket.IO chat example.
//! As in the example, people are not told of what they do themselves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chat::followers::pack::Pack;
use chat::ports::PresenceChange;
use protocol::{EventBody, PersonId};
use serde::Serialize;
use serde_json::json;

use super::audience::{Audience, Membership};
use super::frame::EXAMPLE;
use super::wire::Wire;

/// The connections of this process that hear the lobby through `/`. Cheap to clone.
#[derive(Clone, Default)]
pub struct Guests(Arc<Shared>);

#[derive(Default)]
struct Shared {
    audience: Audience,
    /// The connection of each person who has added their user name.
    people: Mutex<HashMap<PersonId, u64>>,
}

/// A connection's membership among them, given back on drop.
pub struct Seat {
    guests: Guests,
    membership: Membership,
    /// The number of the connection.
    wire: u64,
    /// The person, once they have added their user name.
    you: Option<PersonId>,
}

impl Guests {
    /// Adds a connection, for as long as its seat lives.
    ///
    /// An event may overtake the library's answer to the CONNECT; clients keep such an event until they are connected.
    pub fn enter(&self, wire: &Arc<Wire>) -> Seat {
        Seat {
            membership: self.0.audience.enter(wire),
            wire: wire.number(),
            you: None,
            guests: self.clone(),
        }
    }

    /// Tells what happened in the lobby.
    pub(super) async fn deliver(&self, pack: &Pack) {
        if self.0.audience.len() == 0 {
            return;
        }
        for event in &pack.events {
            match &event.body {
                EventBody::Posted { text, .. } => {
                    let said = json!({ "username": event.author.name, "message": text });
                    self.tell(&event.author.id, "new message", &said).await;
                }
                EventBody::Unknown => {}
            }
        }
        for change in &pack.changes {
            match change {
                PresenceChange::Entered(person, here) => {
                    let told = json!({ "username": person.name, "numUsers": here });
                    self.tell(&person.id, "user joined", &told).await;
                }
                PresenceChange::Left(person, here) => {
                    let told = json!({ "username": person.name, "numUsers": here });
                    self.tell(&person.id, "user left", &told).await;
                }
                PresenceChange::Typing(person, typing) => {
                    let event = if *typing { "typing" } else { "stop typing" };
                    let told = json!({ "username": person.name });
                    self.tell(&person.id, event, &told).await;
                }
                PresenceChange::Unsure => {}
            }
        }
    }

    /// Tells everybody but the person whom it is about. It is encoded once.
    async fn tell<T: Serialize + Sync>(&self, about: &PersonId, event: &str, data: &T) {
        let own = self.people().get(about).copied();
        self.0.audience.tell_in(EXAMPLE, event, data, own).await;
    }

    fn people(&self) -> MutexGuard<'_, HashMap<PersonId, u64>> {
        self.0.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// The connection belongs to this person from now on.
    pub fn belongs_to(&mut self, you: &PersonId) {
        self.nobodys();
        self.guests.people().insert(you.clone(), self.wire);
        self.you = Some(you.clone());
    }

    fn nobodys(&mut self) {
        if let Some(you) = self.you.take() {
            self.guests.people().remove(&you);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.guests.0.audience.leave(self.membership);
        self.nobodys();
    }
}
