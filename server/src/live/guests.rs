//! The connections that receive the lobby's events through the namespace `/`, in the format of the public Socket.IO
//! chat example. As in the example, clients do not receive events about their own person.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chat::followers::pack::Pack;
use chat::ports::PresenceChange;
use protocol::{Deed, PersonId};
use serde::Serialize;
use serde_json::json;

use super::audience::{Audience, Membership};
use super::frame::EXAMPLE;
use super::wire::Wire;

/// The connections of this process that receive the lobby's events through `/`. Cheap to clone.
#[derive(Clone, Default)]
pub struct Guests(Arc<Shared>);

#[derive(Default)]
struct Shared {
    audience: Audience,
    /// The connection of each person who has added their user name.
    people: Mutex<HashMap<PersonId, u64>>,
}

/// A guest's membership of the lobby's audience, ended on drop.
pub struct GuestMembership {
    guests: Guests,
    membership: Membership,
    /// The number of the connection.
    wire: u64,
    /// The person, once they have added their user name.
    you: Option<PersonId>,
}

impl Guests {
    /// Adds a connection until its membership is dropped.
    ///
    /// An event may overtake the library's answer to the CONNECT. Clients keep such an event until they are
    /// connected.
    pub fn enter(&self, wire: &Arc<Wire>) -> GuestMembership {
        GuestMembership {
            membership: self.0.audience.enter(wire),
            wire: wire.number(),
            you: None,
            guests: self.clone(),
        }
    }

    /// Sends what happened in the lobby.
    pub(super) async fn deliver(&self, pack: &Pack) {
        if self.0.audience.len() == 0 {
            return;
        }
        for entry in &pack.entries {
            // This protocol has no other deeds. An empty text: the message was deleted since.
            if let Deed::Posted { text, .. } = &entry.event.deed
                && !text.as_str().is_empty()
            {
                let said = json!({ "username": entry.by.name, "message": text });
                self.tell(&entry.by.id, "new message", &said).await;
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

    /// Sends an event to every connection except that of the person it is about. It is encoded once.
    async fn tell<T: Serialize + Sync>(&self, about: &PersonId, event: &str, data: &T) {
        let own = self.people().get(about).copied();
        self.0.audience.tell_in(EXAMPLE, event, data, own).await;
    }

    fn people(&self) -> MutexGuard<'_, HashMap<PersonId, u64>> {
        self.0.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GuestMembership {
    /// Ties the connection to this person.
    pub fn belongs_to(&mut self, you: &PersonId) {
        self.forget_person();
        self.guests.people().insert(you.clone(), self.wire);
        self.you = Some(you.clone());
    }

    fn forget_person(&mut self) {
        if let Some(you) = self.you.take() {
            self.guests.people().remove(&you);
        }
    }
}

impl Drop for GuestMembership {
    fn drop(&mut self) {
        self.guests.0.audience.leave(self.membership);
        self.forget_person();
    }
}
