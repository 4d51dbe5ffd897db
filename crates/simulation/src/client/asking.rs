//! Carries out the effects that the room client returns: sends its commands, passes on answers and timeouts, wakes it.

use std::rc::Rc;

use client::room::{Effect, Failure, Outcome, RoomClient};
use protocol::{RoomSlug, Send};

use super::Client;
use crate::link::{Answer, Ask};

/// After how many milliseconds a command without an answer has failed.
const ACK_MS: u64 = 10_000;

/// What to do with the answer to a command.
pub type Done = Box<dyn FnOnce(&mut RoomClient, Outcome<Answer>, u64) -> Vec<Effect>>;

impl Client {
    /// Changes the room client, records what it shows, and carries out its effects.
    pub(super) fn drive(self: &Rc<Self>, f: impl FnOnce(&mut RoomClient, u64) -> Vec<Effect>) {
        let now = self.world.time.millis();
        let (of, effects) = {
            let mut room = self.room.borrow_mut();
            let Some(room) = room.as_mut() else { return };
            let effects = f(room, now);
            self.keep(room);
            self.views.borrow_mut().look(room.timeline());
            (room.generation(), effects)
        };
        for effect in effects {
            match effect {
                Effect::Join(join) => self.ask(
                    Ask::Join(join),
                    Box::new(move |room, outcome, now| room.joined(of, to(outcome, joined), now)),
                ),
                Effect::Send(messages) => {
                    let room = RoomSlug::lobby();
                    self.ask(
                        Ask::Send(Send { room, messages }),
                        Box::new(move |room, outcome, now| room.sent(of, to(outcome, sent), now)),
                    );
                }
                Effect::Newer(history) => self.ask(
                    Ask::History(history),
                    Box::new(move |room, outcome, now| room.newer(of, to(outcome, stretch), now)),
                ),
                Effect::Older(history) => self.ask(
                    Ask::History(history),
                    Box::new(move |room, outcome, _| room.older(of, to(outcome, stretch))),
                ),
                Effect::Wake(ms) => self.wake(ms),
                Effect::Typing(_) | Effect::News(_) => {}
            }
        }
    }

    fn ask(self: &Rc<Self>, ask: Ask, done: Done) {
        let number = self.asked.get() + 1;
        self.asked.set(number);
        self.note(|| format!("asks {number}: {}", ask.describe()));
        if matches!(ask, Ask::Send(_)) {
            let before = self.last_send.replace(number);
            if self.waiting.borrow().contains_key(&before) {
                let sentence = format!("{} sends {number} before {before} is answered", self.person.name);
                self.views.borrow_mut().broken.push(sentence);
            }
        }
        self.waiting.borrow_mut().insert(number, done);
        if let Some(connection) = self.connection.borrow().as_ref() {
            connection.up.send((number, ask));
        }
        let client = Rc::clone(self);
        self.world.spawn(async move {
            client.world.time.sleep(ACK_MS).await;
            let done = client.waiting.borrow_mut().remove(&number);
            if let Some(done) = done {
                client.note(|| format!("has no answer {number}"));
                client.drive(|room, now| done(room, Err(Failure::Unknown), now));
            }
        });
    }

    /// The one timer, as in `app/src/client/store.rs`.
    fn wake(self: &Rc<Self>, ms: u64) {
        let at = self.world.time.millis() + ms;
        if let Some((due, timer)) = self.timer.borrow().as_ref() {
            if *due <= at {
                return;
            }
            timer.abort();
        }
        let client = Rc::clone(self);
        let timer = self.world.spawn_abortable(async move {
            client.world.time.sleep_until(at).await;
            client.timer.replace(None);
            client.drive(RoomClient::tick);
        });
        self.timer.replace(Some((at, timer)));
    }
}

fn to<T>(outcome: Outcome<Answer>, read: impl FnOnce(Answer) -> Option<T>) -> Outcome<T> {
    match outcome? {
        Answer::Refused(refusal) => Err(Failure::Refused(refusal)),
        answer => read(answer).ok_or(Failure::Unknown),
    }
}

fn joined(answer: Answer) -> Option<protocol::Joined> {
    match answer {
        Answer::Joined(joined) => Some(joined),
        _ => None,
    }
}

fn sent(answer: Answer) -> Option<protocol::Receipts> {
    match answer {
        Answer::Sent(receipts) => Some(receipts),
        _ => None,
    }
}

fn stretch(answer: Answer) -> Option<protocol::HistoryAnswer> {
    match answer {
        Answer::Stretch(stretch) => Some(stretch),
        _ => None,
    }
}
