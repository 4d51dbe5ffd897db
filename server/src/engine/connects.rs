//! The pending CONNECT of a session, shared by both sides of the Socket.IO library.
//!
//! The library silently drops a CONNECT while it is still cleaning up the previous connection to the namespace, and
//! nothing signals when it is done. So the [`Link`](super::Link) repeats the CONNECT until the namespace's middleware
//! takes it. The client's payload is kept here and taken once: a late copy finds nothing, is refused with
//! [`Repeated`], and the client never sees that.

use std::sync::{Mutex, PoisonError};

use crate::live::facts::REFUSED;

/// A CONNECT that was already taken.
#[derive(Debug, thiserror::Error)]
#[error("this CONNECT was answered before")]
pub struct Repeated;

/// The refusal as the library encodes it.
const REFUSAL: &[u8] = br#"{"message":"this CONNECT was answered before"}"#;

/// One session's CONNECT. Boxed, because usually there is none.
#[derive(Debug, Default)]
pub struct Connects(Mutex<Option<Box<Asked>>>);

#[derive(Debug)]
struct Asked {
    namespace: &'static str,
    /// The payload of the packet.
    auth: Box<str>,
}

impl Connects {
    /// Stores a CONNECT. There is at most one: nothing else is accepted until it is answered.
    pub fn ask(&self, namespace: &'static str, auth: Box<str>) {
        *self.waiting() = Some(Box::new(Asked { namespace, auth }));
    }

    /// Takes the payload. Only the first caller gets it.
    ///
    /// # Errors
    /// If it was already taken.
    pub fn take(&self, namespace: &str) -> Result<Box<str>, Repeated> {
        let taken = self.waiting().take_if(|asked| asked.namespace == namespace);
        taken.map(|asked| asked.auth).ok_or(Repeated)
    }

    /// True while the CONNECT was not taken.
    pub fn is_waiting(&self) -> bool {
        self.waiting().is_some()
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Option<Box<Asked>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// True if a packet is the refusal of a repeated CONNECT, which is not for the client.
pub fn is_of_a_copy(packet: &[u8]) -> bool {
    packet.starts_with(REFUSED) && packet.ends_with(REFUSAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connect_is_taken_once_by_its_namespace() {
        let connects = Connects::default();
        assert!(connects.take("/").is_err() && !connects.is_waiting());
        connects.ask("/chat", "{}".into());
        assert!(connects.take("/").is_err() && connects.is_waiting());
        assert_eq!(connects.take("/chat").unwrap().as_ref(), "{}");
        assert!(connects.take("/chat").is_err() && !connects.is_waiting());
    }

    #[test]
    fn the_refusal_of_a_copy_is_recognised() {
        let message = serde_json::json!({ "message": Repeated.to_string() });
        for namespace in ["", "/chat,"] {
            assert!(is_of_a_copy(format!("44{namespace}{message}").as_bytes()));
        }
        assert!(!is_of_a_copy(br#"44/chat,{"message":"no"}"#));
        assert!(!is_of_a_copy(format!("42[{message}").as_bytes()));
    }
}
