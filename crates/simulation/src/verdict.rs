//! Judges a story: whether it becomes quiet, and the checker on everything that was sent, promised, stored and shown.

use std::collections::BTreeSet;
use std::rc::Rc;

use protocol::PresenceList;
use testkit::checker::{Receiver, Sender, Shown, check};

use crate::client::Client;
use crate::truth::{Log, Truth};

/// What went wrong, as sentences.
pub fn judge(truth: &Truth, clients: &[Rc<Client>]) -> Vec<String> {
    let sender = |client: &Rc<Client>| {
        let mut sender = client.sender.borrow().clone();
        let panes = client.panes.iter();
        let refused = panes.flat_map(|pane| pane.refused.borrow().clone());
        sender.again.extend(refused);
        sender
    };
    let senders: Vec<Sender> = clients.iter().map(sender).collect();
    let log = Receiver {
        name: "the log".to_owned(),
        shown: truth
            .events()
            .iter()
            .filter_map(|entry| Shown::of(&entry.event))
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
    for pane in clients.iter().flat_map(|client| &client.panes) {
        let views = pane.views.borrow();
        wrong.extend(views.broken.iter().cloned());
        receivers.extend(views.all.iter().cloned());
        if let Some(last) = receivers.last_mut().filter(|_| !views.all.is_empty()) {
            last.to_end = pane.is_open();
        }
    }
    wrong.extend(check(&senders, &receivers).iter().map(ToString::to_string));
    wrong
}

/// What is still missing, as sentences: a message that is not sent, or not shown by everybody in its room.
pub fn disquiet(truth: &Truth, clients: &[Rc<Client>]) -> Vec<String> {
    let mut wrong = Vec::new();
    for client in clients.iter().filter(|client| client.is_there()) {
        for pane in &client.panes {
            let quiet = match truth.look(&pane.room, Log::head) {
                Ok(head) => pane.is_quiet(&head),
                Err(_) => Err("is in a room that does not exist".to_owned()),
            };
            if let Err(why) = quiet {
                let (name, room) = (&client.person.name, &pane.room);
                wrong.push(format!("it does not become quiet: {name} in {room} {why}"));
            }
        }
    }
    wrong
}

/// Which rosters differ from who is there, as sentences.
pub fn wrong_rosters(clients: &[Rc<Client>]) -> Vec<String> {
    let mut wrong = Vec::new();
    let there: Vec<_> = clients.iter().filter(|client| client.is_there()).collect();
    for client in &there {
        for pane in &client.panes {
            let here: BTreeSet<_> = there
                .iter()
                .filter(|other| other.pane(&pane.room).is_some())
                .map(|other| other.person.name.to_string())
                .collect();
            let seen = client.roster(&pane.room).unwrap_or_default();
            if names(&seen) != here || seen.here as usize != here.len() {
                let (name, room, seen) = (&client.person.name, &pane.room, said(&seen));
                wrong.push(format!("{name} in {room} sees {seen}, where there are {here:?}"));
            }
        }
    }
    wrong
}

fn names(roster: &PresenceList) -> BTreeSet<String> {
    let people = roster.people.iter();
    people.map(|person| person.name.to_string()).collect()
}

fn said(roster: &PresenceList) -> String {
    format!("{} people: {:?}", roster.here, names(roster))
}
