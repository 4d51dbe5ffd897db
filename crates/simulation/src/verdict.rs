//! Judges a story: whether it becomes quiet, and the checker on everything that was sent, promised, stored and shown.

mod forms;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use chat::Entry;
use protocol::{ClientId, PresenceList, Seq};
use testkit::checker::{Receiver, RoomPosition, Shown, check};

use crate::client::{Client, Moment, Pane};
use crate::truth::{Log, Truth};
use forms::Forms;

/// What went wrong, as sentences.
pub fn judge(truth: &Truth, clients: &[Rc<Client>]) -> Vec<String> {
    let entries = truth.events();
    let mut wrong = deeds(&entries, clients);
    wrong.extend(messages(&entries, clients));
    wrong.extend(targets(&entries, clients));
    let forms = Forms::new(&entries);
    for (room, moment) in truth.moments() {
        wrong.extend(forms.judge("the truth", &room, &moment));
        wrong.extend(forms.judge_title("the truth", &room, &moment));
    }
    for client in clients {
        for pane in &client.panes {
            let who = format!("{} in {}", client.person.name, pane.room);
            let views = pane.views.borrow();
            wrong.extend(views.broken.iter().cloned());
            for moment in &views.moments {
                wrong.extend(forms.judge(&who, &pane.room, moment));
            }
            if let Some(now) = pane.look(Moment::of) {
                wrong.extend(forms.judge(&who, &pane.room, &now));
                wrong.extend(forms.judge_title(&who, &pane.room, &now));
            }
        }
    }
    wrong
}

/// Whether everything that people did is in the log once, in their order, at the promised position.
fn deeds(entries: &[Arc<Entry>], clients: &[Rc<Client>]) -> Vec<String> {
    let log = Receiver {
        name: "the log".to_owned(),
        shown: entries
            .iter()
            .filter_map(|entry| Shown::deed(&entry.event))
            .collect(),
        from_start: true,
        to_end: true,
    };
    let stored: BTreeSet<_> = log.shown.iter().map(|shown| shown.client_id.clone()).collect();
    let mut wrong = Vec::new();
    let mut senders = Vec::new();
    for client in clients {
        let mut sender = client.sender.borrow().clone();
        for pane in &client.panes {
            sender.again.extend(pane.refused.borrow().iter().cloned());
        }
        for client_id in sender.sent.iter().filter(|client_id| !stored.contains(client_id)) {
            let given_up = |pane: &Rc<Pane>| pane.given_up.borrow().contains(client_id);
            if !client.panes.iter().any(given_up) {
                wrong.push(format!(
                    "{} sent {client_id}, and it was never stored",
                    sender.name
                ));
            }
        }
        senders.push(sender);
    }
    wrong.extend(check(&senders, &[log]).iter().map(ToString::to_string));
    wrong
}

/// Whether everything that was done to a message was done to the one that the person saw.
fn targets(entries: &[Arc<Entry>], clients: &[Rc<Client>]) -> Vec<String> {
    let mut meant = BTreeMap::new();
    for pane in clients.iter().flat_map(|client| &client.panes) {
        meant.extend(pane.meant.borrow().clone());
    }
    let events = entries.iter().map(|entry| &entry.event);
    let wrong = events.filter_map(|event| {
        let seen = meant.get(event.deed.client_id()?)?;
        (*seen != event.epoch).then(|| format!("{event:?} was meant for a message of {seen}"))
    });
    wrong.collect()
}

/// Whether everybody is shown each message once, in one order, without a hole. Here, messages are numbered without the
/// other events between them.
fn messages(entries: &[Arc<Entry>], clients: &[Rc<Client>]) -> Vec<String> {
    let mut counts = BTreeMap::<_, u64>::new();
    let mut numbers = BTreeMap::new();
    let mut log = Receiver {
        name: "the log".to_owned(),
        from_start: true,
        to_end: true,
        ..Receiver::default()
    };
    for shown in entries.iter().filter_map(|entry| Shown::of(&entry.event)) {
        let count = counts
            .entry((shown.position.room.clone(), shown.position.epoch.clone()))
            .or_default();
        *count += 1;
        let number = RoomPosition {
            seq: Seq::try_from(*count).unwrap_or(Seq::ZERO),
            ..shown.position.clone()
        };
        numbers.insert(shown.position, number.clone());
        log.shown.push(Shown {
            position: number,
            client_id: shown.client_id,
        });
    }
    let mut receivers = vec![log];
    let mut wrong = Vec::new();
    for pane in clients.iter().flat_map(|client| &client.panes) {
        let views = pane.views.borrow();
        for view in &views.all {
            let mut view = view.clone();
            for shown in &mut view.shown {
                match numbers.get(&shown.position) {
                    Some(number) => shown.position = number.clone(),
                    None => wrong.push(format!("{} is shown {shown:?}, which is no message", view.name)),
                }
            }
            receivers.push(view);
        }
        if let Some(last) = receivers.last_mut().filter(|_| !views.all.is_empty()) {
            last.to_end = pane.is_open();
        }
    }
    let mut senders = Vec::new();
    for client in clients {
        let mut sender = client.sender.borrow().clone();
        let numbered = |(id, at): &(_, _)| Some((ClientId::clone(id), RoomPosition::clone(numbers.get(at)?)));
        sender.acknowledged = sender.acknowledged.iter().filter_map(numbered).collect();
        // Their order is judged with all other deeds.
        sender.sent.clear();
        senders.push(sender);
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
