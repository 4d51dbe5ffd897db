//! Tells followers which sessions end.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chat::SessionDigest;
use chat::ports::SessionSignal;
use futures::stream::{BoxStream, StreamExt, unfold};
use tokio::sync::broadcast::{self, Receiver, Sender, error::RecvError};

/// Signals that a follower can be behind before it gets [`SessionSignal::Unsure`] instead.
const CAPACITY: usize = 256;

/// The channel to the followers. Publishing never blocks.
pub struct Ends(Mutex<Option<Sender<SessionSignal>>>);

impl Default for Ends {
    fn default() -> Self {
        Self(Mutex::new(Some(broadcast::channel(CAPACITY).0)))
    }
}

impl Ends {
    fn sender(&self) -> MutexGuard<'_, Option<Sender<SessionSignal>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells followers that a session has ended.
    pub fn ended(&self, session: SessionDigest) {
        self.tell(SessionSignal::Ended(session));
    }

    /// Sends a signal to all followers.
    pub fn tell(&self, signal: SessionSignal) {
        if let Some(sender) = self.sender().as_ref() {
            // Fails if there are no followers.
            let _ = sender.send(signal);
        }
    }

    /// All signals sent after this call returned. The stream ends when this is closed.
    pub fn follow(&self) -> BoxStream<'static, SessionSignal> {
        let receiver = self.sender().as_ref().map(Sender::subscribe);
        unfold(receiver, |receiver| async {
            let mut receiver: Receiver<_> = receiver?;
            let signal = match receiver.recv().await {
                Ok(signal) => signal,
                Err(RecvError::Lagged(_)) => SessionSignal::Unsure,
                Err(RecvError::Closed) => return None,
            };
            Some((signal, Some(receiver)))
        })
        .boxed()
    }

    /// Ends every stream after the signals in its queue.
    pub fn close(&self) {
        self.sender().take();
    }
}
