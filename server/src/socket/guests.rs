//! Those who hear the lobby through the namespace `/`. Nobody there hears of their own doings.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use protocol::PersonId;
use serde::Serialize;
use socketioxide::extract::SocketRef;

use super::audience::{Audience, Place};
use super::caller::wire;
use crate::state::State;

/// The namespace.
pub const NAMESPACE: &str = "/";

/// Everybody who hears the lobby through `/` on this process.
#[derive(Default)]
pub struct Guests {
    audience: Audience,
    /// The connections of those who have said who they are: each has one, and one alone.
    people: Mutex<HashMap<PersonId, u64>>,
}

/// A place among them, given back when dropped.
pub struct Seat {
    state: State,
    place: Place,
    /// The number of the connection.
    wire: u64,
    /// Who it is, once they have said so.
    you: Option<PersonId>,
}

impl Guests {
    /// Has a socket hear the lobby for as long as its seat lives. None if its connection has gone.
    ///
    /// An event may overtake the library's answer to the CONNECT; clients keep such an event until they are connected.
    pub fn enter(state: &State, socket: &SocketRef) -> Option<Seat> {
        let wire = wire(socket)?;
        Some(Seat {
            place: state.guests.audience.enter(wire),
            wire: wire.number(),
            you: None,
            state: state.clone(),
        })
    }

    /// Tells everybody but the person whom it is about, encoded once.
    pub async fn tell<T: Serialize + Sync>(&self, about: &PersonId, event: &str, data: &T) {
        let own = self.people().get(about).copied();
        self.audience.tell_in(NAMESPACE, event, data, own).await;
    }

    /// Whether nobody hears.
    pub fn is_empty(&self) -> bool {
        self.audience.len() == 0
    }

    fn people(&self) -> MutexGuard<'_, HashMap<PersonId, u64>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// From now on this person sits here, and hears nothing of their own doings.
    pub fn belongs_to(&mut self, you: &PersonId) {
        self.nobodys();
        self.state.guests.people().insert(you.clone(), self.wire);
        self.you = Some(you.clone());
    }

    fn nobodys(&mut self) {
        if let Some(you) = self.you.take() {
            self.state.guests.people().remove(&you);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.state.guests.audience.leave(self.place);
        self.nobodys();
    }
}
