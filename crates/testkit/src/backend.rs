//! A backend as the contracts see it.

use std::any::Any;
use std::sync::Arc;

use chat::ports::{Accounts, Directory, Presence, RoomLog};

/// The four ports of one backend, and what must live as long as they do.
pub struct Backend {
    /// The rooms' logs.
    pub log: Arc<dyn RoomLog>,
    /// The list of rooms.
    pub directory: Arc<dyn Directory>,
    /// People and sessions.
    pub accounts: Arc<dyn Accounts>,
    /// Who is where.
    pub presence: Arc<dyn Presence>,
    _keep: Box<dyn Any + Send + Sync>,
}

impl Backend {
    /// A backend that is one value; `keep` is dropped after it: a temporary folder, a server's process.
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
