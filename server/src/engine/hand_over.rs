//! Passes values from a namespace's middleware to its connect handler.

use std::any::Any;
use std::sync::{Mutex, MutexGuard, PoisonError};

use socketioxide::extract::SocketRef;

/// Values that a middleware leaves for the connect handler of the same socket.
///
/// A socket's extensions could hold them, but their table stays allocated after the last entry is removed.
#[derive(Default)]
pub struct HandOver(Mutex<Vec<(usize, Box<dyn Any + Send>)>>);

impl HandOver {
    /// Leaves a value for this socket. It must not keep the session alive: if the handler never runs, the value stays
    /// here until the session ends.
    pub fn leave<T: Send + 'static>(&self, socket: &SocketRef, value: T) {
        self.leave_at(address(socket), value);
    }

    /// Takes the value that was left for this socket.
    pub fn take<T: 'static>(&self, socket: &SocketRef) -> Option<T> {
        self.take_at(address(socket))
    }

    fn leave_at<T: Send + 'static>(&self, address: usize, value: T) {
        let mut left = self.left();
        // An old entry belongs to a socket that was never connected and is gone.
        left.retain(|(known, _)| *known != address);
        left.push((address, Box::new(value)));
    }

    fn take_at<T: 'static>(&self, address: usize) -> Option<T> {
        let mut left = self.left();
        let at = left.iter().position(|(known, _)| *known == address)?;
        let (_, value) = left.swap_remove(at);
        if left.is_empty() {
            // Release the memory.
            *left = Vec::new();
        }
        value.downcast().ok().map(|value| *value)
    }

    fn left(&self) -> MutexGuard<'_, Vec<(usize, Box<dyn Any + Send>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A socket's address in memory. It is unique among live sockets, while all connections to a namespace in one session
/// share an id.
fn address(socket: &SocketRef) -> usize {
    std::ptr::from_ref(&**socket).addr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_socket_takes_its_own_value_once() {
        let handed = HandOver::default();
        handed.leave_at(1, "first");
        handed.leave_at(2, "second");
        assert_eq!(handed.take_at::<&str>(3), None);
        assert_eq!(handed.take_at(2), Some("second"));
        assert_eq!(handed.take_at::<&str>(2), None);
        assert_eq!(handed.take_at(1), Some("first"));
        assert_eq!(
            handed.left().capacity(),
            0,
            "an idle session keeps no memory for it"
        );
    }

    #[test]
    fn a_value_that_was_never_taken_is_replaced() {
        let handed = HandOver::default();
        handed.leave_at(1, "of a socket that was never connected");
        handed.leave_at(1, "of its successor");
        assert_eq!(handed.take_at(1), Some("of its successor"));
        assert_eq!(handed.take_at::<&str>(1), None);
    }
}
