//! A backend as the contracts see it.

use std::any::Any;
use std::sync::Arc;

use chat::ports::{Accounts, Directory, Presence, RoomLog};

/// The four ports of one backend, and a value that must live as long as they do.
pub struct Backend {
    /// The rooms' logs.
    pub log: Arc<dyn RoomLog>,
    /// The list of rooms.
    pub directory: Arc<dyn Directory>,
    /// People and sessions.
    pub accounts: Arc<dyn Accounts>,
    /// Who is in which room.
    pub presence: Arc<dyn Presence>,
    _keep: Box<dyn Any + Send + Sync>,
}

impl Backend {
    /// Uses one value for all four ports. `keep` (a temporary folder, a server process) is dropped after it.
    pub fn new<B>(backend: B, keep: impl Any + Send + Sync) -> Self
    where
        B: RoomLog + Directory + Accounts + Presence + 'static,
    {
        let backend = Arc::new(backend);
        Self {
            log: backend.clone(),
            directory: backend.clone(),
            accounts: backend.clone(),
            presence: backend,
            _keep: Box::new(keep),
        }
    }
}
