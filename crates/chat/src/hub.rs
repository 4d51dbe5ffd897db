//! The use cases: one [`Hub`] per process, and one file per use case, with the command's name. Enter by [`Hub::ask`].

mod create_room;
mod delete;
mod edit;
mod enter;
mod follow;
mod history;
mod join;
mod leave;
mod list_rooms;
mod missed;
mod open_room;
mod react;
mod rooms;
mod roster;
mod send;
mod sessions;
mod set_title;
mod sign_in;
mod tails;
mod typing;

pub use enter::Enter;
pub use follow::{Followed, RoomUpdate};
pub use open_room::{FindRoom, OpenRoom, OpenedRoom};
pub use send::{Admitted, SendTogether};
pub use sign_in::Visit;

use std::sync::Arc;

use protocol::limits::MESSAGE_CHARS;
use protocol::{ErrorCode, Refusal, RoomSlug};

use crate::error::{ChatError, StoreError};
use crate::ports::{Accounts, Clock, Directory, Ids, Presence, Rates, RoomLog, Unlimited};
use tails::Tails;

/// How often one piece of work re-creates the lobby, in case the storage is emptied again and again.
const LOBBY_TRIES: u32 = 5;

/// Everything that can be done in the chat, on any backend.
#[derive(Clone)]
pub struct Hub {
    log: Arc<dyn RoomLog>,
    directory: Arc<dyn Directory>,
    accounts: Arc<dyn Accounts>,
    presence: Arc<dyn Presence>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    tails: Tails,
    /// The rates of each address.
    pub(crate) rates: Arc<dyn Rates>,
    /// Characters of one message.
    message_chars: usize,
}

/// The ports that a [`Hub`] works on.
pub struct Ports {
    /// The rooms' logs.
    pub log: Arc<dyn RoomLog>,
    /// The list of rooms.
    pub directory: Arc<dyn Directory>,
    /// People and sessions.
    pub accounts: Arc<dyn Accounts>,
    /// Who is in which room.
    pub presence: Arc<dyn Presence>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fresh ids.
    pub ids: Arc<dyn Ids>,
}

impl Hub {
    /// Opens a hub on these ports, and creates the lobby if it is missing.
    ///
    /// # Errors
    /// The backend does not answer.
    pub async fn open(ports: Ports) -> Result<Self, ChatError> {
        let Ports {
            log,
            directory,
            accounts,
            presence,
            clock,
            ids,
        } = ports;
        let hub = Self {
            log,
            directory,
            accounts,
            presence,
            clock,
            ids,
            tails: Tails::default(),
            rates: Arc::new(Unlimited),
            message_chars: MESSAGE_CHARS,
        };
        hub.ensure_lobby().await?;
        Ok(hub)
    }

    /// Sets the configured limits: the rates of each address, and the characters of one message.
    #[must_use]
    pub fn with_limits(mut self, rates: Arc<dyn Rates>, message_chars: usize) -> Self {
        self.rates = rates;
        self.message_chars = message_chars;
        self
    }

    /// Checks that the backend answers, for readiness.
    ///
    /// # Errors
    /// The backend does not answer.
    pub async fn check(&self) -> Result<(), ChatError> {
        let lobby = RoomSlug::lobby();
        self.with_lobby(&lobby, || self.log.head(&lobby)).await?;
        Ok(())
    }

    /// Does `work` on a room. If the lobby is missing because the storage was emptied, creates it and tries again.
    async fn with_lobby<T, F>(&self, room: &RoomSlug, work: impl Fn() -> F) -> Result<T, ChatError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        for _ in 0..LOBBY_TRIES {
            match work().await {
                Err(StoreError::NoSuchRoom(missing)) if missing == RoomSlug::lobby() && missing == *room => {
                    self.ensure_lobby().await?;
                }
                result => return Ok(result?),
            }
        }
        Ok(work().await?)
    }
}

fn bad_request(message: impl Into<String>) -> ChatError {
    ChatError::Refused(Refusal::new(ErrorCode::BadRequest, message))
}
