//! The CONNECT that a session waits for, as seen from both sides of the Socket.IO library.
//!
//! The library drops a CONNECT without a word while it is not quite done with the namespace's last life, and nothing
//! tells when it is done. So the [`Link`](super::Link) repeats the CONNECT until the namespace's middleware has taken
//! it up. What the client said stands here and is taken once: a copy that comes too late finds nothing, is refused
//! with [`Repeated`], and the client never hears of it.

use std::sync::{Mutex, PoisonError};

use crate::live::facts::REFUSED;

/// A CONNECT that was taken up already.
#[derive(Debug, thiserror::Error)]
#[error("this CONNECT was answered before")]
pub struct Repeated;

/// How the library refuses it.
const REFUSAL: &[u8] = br#"{"message":"this CONNECT was answered before"}"#;

/// One session's CONNECT. Boxed, because most of the time there is none.
#[derive(Debug, Default)]
pub struct Connects(Mutex<Option<Box<Asked>>>);

#[derive(Debug)]
struct Asked {
    namespace: &'static str,
    /// The payload of the packet.
    auth: Box<str>,
}

impl Connects {
    /// The client wants to be connected. There is one at a time: nothing else is taken until it is answered.
    pub fn ask(&self, namespace: &'static str, auth: Box<str>) {
        *self.waiting() = Some(Box::new(Asked { namespace, auth }));
    }

    /// Takes it up: the payload, for whoever comes first.
    ///
    /// # Errors
    /// It was taken up before.
    pub fn take(&self, namespace: &str) -> Result<Box<str>, Repeated> {
        let taken = self.waiting().take_if(|asked| asked.namespace == namespace);
        taken.map(|asked| asked.auth).ok_or(Repeated)
    }

    /// Whether nobody has taken it up.
    pub fn is_waiting(&self) -> bool {
        self.waiting().is_some()
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Option<Box<Asked>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a packet refuses a copy of a CONNECT. It is not for the client.
pub fn is_of_a_copy(packet: &[u8]) -> bool {
    packet.starts_with(REFUSED) && packet.ends_with(REFUSAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connect_is_taken_up_once_by_its_namespace() {
        let connects = Connects::default();
        assert!(connects.take("/").is_err() && !connects.is_waiting());
        connects.ask("/chat", "{}".into());
        assert!(connects.take("/").is_err() && connects.is_waiting());
        assert_eq!(connects.take("/chat").unwrap().as_ref(), "{}");
        assert!(connects.take("/chat").is_err() && !connects.is_waiting());
    }

    #[test]
    fn the_refusal_of_a_copy_is_known() {
        let message = serde_json::json!({ "message": Repeated.to_string() });
        for namespace in ["", "/chat,"] {
            assert!(is_of_a_copy(format!("44{namespace}{message}").as_bytes()));
        }
        assert!(!is_of_a_copy(br#"44/chat,{"message":"no"}"#));
        assert!(!is_of_a_copy(format!("42[{message}").as_bytes()));
    }
}
