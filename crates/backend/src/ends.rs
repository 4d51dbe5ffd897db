//! Which sessions end, told to whoever wants to know.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chat::SessionDigest;
use chat::ports::SessionSignal;
use futures::stream::{BoxStream, StreamExt, unfold};
use tokio::sync::broadcast::{self, Receiver, Sender, error::RecvError};

/// Signals that a follower may be behind before it gets [`SessionSignal::Unsure`] instead.
const CAPACITY: usize = 256;

/// The followers. Publishing never blocks.
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

    /// This session has ended.
    pub fn ended(&self, session: SessionDigest) {
        self.tell(SessionSignal::Ended(session));
    }

    /// Tells everybody.
    pub fn tell(&self, signal: SessionSignal) {
        if let Some(sender) = self.sender().as_ref() {
            // Nobody may be listening.
            let _ = sender.send(signal);
        }
    }

    /// Everything told after this call returned. Ends when this is closed.
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

    /// Every stream ends after what it has not received yet.
    pub fn close(&self) {
        self.sender().take();
    }
}
