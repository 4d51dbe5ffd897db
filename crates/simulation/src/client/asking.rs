//! Carries out the effects that a room client returns: sends its commands, passes on answers and timeouts, wakes it.

use std::rc::Rc;

use client::outbox::Command;
use client::room::{Effect, Failure, Generation, Outcome, RoomClient};

use protocol::HistoryAnswer;

use super::{Client, Pane};
use crate::link::{Answer, Ask};

/// After how many milliseconds a command without an answer has failed.
const ACK_MS: u64 = 10_000;

/// What to do with the answer to a command.
type Done = Box<dyn FnOnce(&mut RoomClient, Outcome<Answer>, u64) -> Vec<Effect>>;

/// A command without an answer.
pub struct Waiting {
    /// The room that it is about.
    pub pane: Rc<Pane>,
    /// What to do with the answer.
    pub done: Done,
}

impl Client {
    pub(super) fn perform(self: &Rc<Self>, pane: &Rc<Pane>, of: Generation, effect: Effect) {
        match effect {
            Effect::Join(join) => self.ask(
                pane,
                Ask::Join(join),
                Box::new(move |room, outcome, now| room.joined(of, to(outcome, joined), now)),
            ),
            Effect::Write(Command::Send(send)) => self.ask(
                pane,
                Ask::Send(send),
                Box::new(move |room, outcome, now| room.stored(of, to(outcome, sent), now)),
            ),
            Effect::Write(Command::Act(deed, epoch)) => {
                let (of_pane, of_deed) = (Rc::clone(pane), deed.clone());
                self.ask(
                    pane,
                    Ask::Act(pane.room.clone(), epoch, deed),
                    Box::new(move |room, outcome, now| {
                        of_pane.note_refusal(&of_deed, &outcome);
                        room.stored(of, to(outcome, sent), now)
                    }),
                );
            }
            Effect::Newer(history) => self.ask(
                pane,
                Ask::History(history),
                Box::new(move |room, outcome, now| room.newer(of, to(outcome, stretch), now)),
            ),
            Effect::Older(history) => self.ask(
                pane,
                Ask::History(history),
                Box::new(move |room, outcome, _| room.older(of, to(outcome, page))),
            ),
            Effect::Wake(ms) => self.wake(pane, ms),
            Effect::Typing(_) | Effect::News(..) | Effect::OldNews => {}
        }
    }

    fn ask(self: &Rc<Self>, pane: &Rc<Pane>, ask: Ask, done: Done) {
        let number = self.asked.get() + 1;
        self.asked.set(number);
        self.note(|| format!("asks {number}: {}", ask.describe()));
        if matches!(ask, Ask::Send(_) | Ask::Act(..)) {
            let before = pane.last_send.replace(number);
            if self.waiting.borrow().contains_key(&before) {
                let sentence = format!("{} sends {number} before {before} is answered", self.person.name);
                pane.views.borrow_mut().broken.push(sentence);
            }
        }
        let waiting = Waiting {
            pane: Rc::clone(pane),
            done,
        };
        self.waiting.borrow_mut().insert(number, waiting);
        if let Some(connection) = self.connection.borrow().as_ref() {
            connection.up.send((number, ask));
        }
        let client = Rc::clone(self);
        self.world.spawn(async move {
            client.world.time.sleep(ACK_MS).await;
            let waiting = client.waiting.borrow_mut().remove(&number);
            if let Some(Waiting { pane, done }) = waiting {
                client.note(|| format!("has no answer {number}"));
                client.drive(&pane, |room, now| done(room, Err(Failure::Unknown), now));
            }
        });
    }

    /// The room's one timer, as in `app/src/client/store.rs`.
    fn wake(self: &Rc<Self>, pane: &Rc<Pane>, ms: u64) {
        let at = self.world.time.millis() + ms;
        if let Some((due, timer)) = pane.timer.borrow().as_ref() {
            if *due <= at {
                return;
            }
            timer.abort();
        }
        let (client, room) = (Rc::clone(self), Rc::clone(pane));
        let timer = self.world.spawn_abortable(async move {
            client.world.time.sleep_until(at).await;
            room.timer.replace(None);
            client.drive(&room, RoomClient::tick);
        });
        pane.timer.replace(Some((at, timer)));
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

fn sent(answer: Answer) -> Option<Vec<protocol::Receipt>> {
    match answer {
        Answer::Sent(_, receipts) => Some(receipts.receipts),
        _ => None,
    }
}

fn stretch(answer: Answer) -> Option<protocol::EventStretch> {
    match answer {
        Answer::History(HistoryAnswer::Events(stretch)) => Some(stretch),
        _ => None,
    }
}

fn page(answer: Answer) -> Option<protocol::MessagePage> {
    match answer {
        Answer::History(HistoryAnswer::Page(page)) => Some(page),
        _ => None,
    }
}
