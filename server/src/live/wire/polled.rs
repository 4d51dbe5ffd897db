//! The wire of a polling peer: frames wait until it polls. After an upgrade they go to its WebSocket.

use super::*;

impl Wire {
    /// The wire of a polling peer.
    pub fn polled(budget: &Budget, slow: Counter) -> Arc<Self> {
        Arc::new_cyclic(|wire: &Weak<Self>| Self {
            number: OPENED.fetch_add(1, Ordering::Relaxed),
            way: Way::Polled(Polled::default()),
            slow,
            account: budget.open(wire.clone()),
            out: Mutex::default(),
        })
    }

    pub(super) fn upgraded(&self) -> Option<&Arc<Self>> {
        match &self.way {
            Way::Polled(polled) => polled.upgraded.get(),
            Way::Tcp(_) => None,
        }
    }

    pub(super) fn keep(self: &Arc<Self>, polled: &Polled, frame: &Bytes) {
        if let Some(wire) = polled.upgraded.get() {
            return wire.send(frame);
        }
        let mut out = self.out();
        if let Some(wire) = polled.upgraded.get() {
            // Upgraded in the meantime. Sending needs no lock.
            drop(out);
            return wire.send(frame);
        }
        if out.ended {
            return;
        }
        if self.account.waiting() >= PER_CONNECTION {
            return self.cut_off(&mut out);
        }
        self.account.charge(frame.len() + OVERHEAD);
        out.waiting.push_back(frame.clone());
        if let Some(reader) = out.reader.take() {
            reader.wake();
        }
    }

    /// Takes everything that waits, once there is something. `None` if nothing more will come. Only one task may
    /// wait.
    pub fn poll_take(&self, cx: &mut Context<'_>) -> Poll<Option<VecDeque<Bytes>>> {
        let mut out = self.out();
        if !out.waiting.is_empty() {
            let waiting = std::mem::take(&mut out.waiting);
            for frame in &waiting {
                self.account.credit(frame.len() + OVERHEAD);
            }
            return Poll::Ready(Some(waiting));
        }
        if out.ended || self.upgraded().is_some() {
            return Poll::Ready(None);
        }
        out.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Registers the library's task, to be woken by [`Wire::wake_library`] and at the end.
    pub fn register_library(&self, waker: &Waker) {
        if let Way::Polled(polled) = &self.way {
            polled.library.register(waker);
        }
    }

    /// Tells the library's task that there is something to read.
    pub fn wake_library(&self) {
        if let Way::Polled(polled) = &self.way {
            polled.library.wake();
        }
    }

    /// Wakes the task that waits in [`Wire::poll_take`].
    pub fn wake(&self) {
        if let Some(reader) = self.out().reader.take() {
            reader.wake();
        }
    }

    /// Continues on the peer's WebSocket after an upgrade. Waiting frames are sent there first.
    pub fn hand_over_to(&self, wire: Arc<Self>) {
        let mut out = self.out();
        for frame in std::mem::take(&mut out.waiting) {
            self.account.credit(frame.len() + OVERHEAD);
            wire.send(&frame);
        }
        if let Way::Polled(polled) = &self.way {
            // There is only one upgrade.
            let _ = polled.upgraded.set(wire);
        }
        if let Some(reader) = out.reader.take() {
            reader.wake();
        }
    }

    /// Ends our side. Waiting frames may still be taken.
    pub fn end_of_polls(&self) {
        let mut out = self.out();
        out.ended = true;
        if let Some(reader) = out.reader.take() {
            reader.wake();
        }
    }
}
