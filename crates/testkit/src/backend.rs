//! A backend as the contracts see it.

use std::any::Any;
use std::sync::Arc;

use chat::ports::{Accounts, Directory, Presence, RoomLog};

/// Four ports, and a value that must live as long as they do.
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
    /// Uses a truth for three ports. `keep` (a temporary folder, a server process) is dropped after it.
    pub fn new<T>(truth: T, presence: Arc<dyn Presence>, keep: impl Any + Send + Sync) -> Self
    where
        T: RoomLog + Directory + Accounts + 'static,
    {
        let truth = Arc::new(truth);
        Self {
            log: truth.clone(),
            directory: truth.clone(),
            accounts: truth,
            presence,
            _keep: Box::new(keep),
        }
    }
}
