//! Judges a story: runs the checker on everything that was sent, promised, stored and shown.

use std::collections::BTreeSet;
use std::rc::Rc;

use testkit::checker::{Receiver, Sender, Shown, check};

use crate::client::Client;
use crate::store::Store;

/// What went wrong, as sentences.
pub fn judge(store: &Store, clients: &[Rc<Client>]) -> Vec<String> {
    let senders: Vec<Sender> = clients
        .iter()
        .map(|client| client.sender.borrow().clone())
        .collect();
    let log = Receiver {
        name: "the log".to_owned(),
        shown: store
            .logs()
            .iter()
            .flatten()
            .filter_map(|event| Shown::of(event))
            .collect(),
        from_start: true,
        to_end: true,
    };
    let mut wrong = Vec::new();
    let stored: BTreeSet<_> = log.shown.iter().map(|shown| &shown.client_id).collect();
    for sender in &senders {
        for client_id in sender.sent.iter().filter(|client_id| !stored.contains(client_id)) {
            wrong.push(format!(
                "{} sent {client_id}, and it was never stored",
                sender.name
            ));
        }
    }
    let mut receivers = vec![log.clone()];
    for client in clients {
        let views = client.views.borrow();
        wrong.extend(views.broken.iter().cloned());
        receivers.extend(views.all.iter().cloned());
        if let Some(last) = receivers.last_mut().filter(|_| !views.all.is_empty()) {
            last.to_end = true;
        }
    }
    wrong.extend(check(&senders, &receivers).iter().map(ToString::to_string));
    wrong
}
