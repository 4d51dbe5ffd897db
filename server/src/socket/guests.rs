//! Those who hear the lobby through the namespace `/`. Nobody there hears of their own doings.
//!
//! As in [`super::audience`], an event is encoded once and goes straight to the connections.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::PersonId;
use serde::Serialize;
use socketioxide::extract::SocketRef;

use super::audience::{Place, write_all};
use super::caller::wire;
use super::frame;
use crate::listener::Wire;
use crate::state::State;

/// The namespace.
pub const NAMESPACE: &str = "/";

/// Everybody who hears the lobby through `/` on this process.
#[derive(Default)]
pub struct Guests(Mutex<BTreeMap<Place, Guest>>);

struct Guest {
    wire: Arc<Wire>,
    /// Who it is, once they have said so.
    you: Option<PersonId>,
}

/// A place among them, given back when dropped.
pub struct Seat {
    state: State,
    place: Place,
}

impl Guests {
    /// Has a socket hear the lobby for as long as its seat lives. None if its connection has gone.
    ///
    /// An event may overtake the library's answer to the CONNECT; clients keep such an event until they are connected.
    pub fn enter(state: &State, socket: &SocketRef) -> Option<Seat> {
        let wire = wire(socket)?;
        let place = Place::next(wire);
        let guest = Guest {
            wire: Arc::clone(wire),
            you: None,
        };
        state.guests.all().insert(place, guest);
        Some(Seat {
            state: state.clone(),
            place,
        })
    }

    /// Tells everybody but the person whom it is about, encoded once.
    pub async fn tell<T: Serialize>(&self, about: &PersonId, event: &str, data: &T) {
        let others: Arc<[_]> = {
            let all = self.all();
            let others = all.values().filter(|guest| guest.you.as_ref() != Some(about));
            others.map(|guest| Arc::clone(&guest.wire)).collect()
        };
        if others.is_empty() {
            return;
        }
        match frame::event(NAMESPACE, event, data) {
            Ok(frame) => write_all(others, frame).await,
            Err(error) => tracing::error!(%error, event, "could not encode an event"),
        }
    }

    /// Whether nobody hears.
    pub fn is_empty(&self) -> bool {
        self.all().is_empty()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<Place, Guest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// From now on this person sits here, and hears nothing of their own doings.
    pub fn belongs_to(&self, you: &PersonId) {
        if let Some(guest) = self.state.guests.all().get_mut(&self.place) {
            guest.you = Some(you.clone());
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.state.guests.all().remove(&self.place);
    }
}
