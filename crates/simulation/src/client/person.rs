//! What the person does: sends messages, alone and in bursts, scrolls up, and presses "try again".

use std::rc::Rc;

use protocol::{ClientId, MessageText};

use super::{Client, Pane};

impl Client {
    /// Sends `messages` messages, with pauses, or (if `hasty`) one right after the other.
    pub async fn talk(self: Rc<Self>, messages: u64, hasty: bool) {
        let dice = &self.world.dice;
        for _ in 0..messages {
            let pause = if hasty || dice.one_in(3) {
                dice.between(0..=60)
            } else {
                dice.between(0..=9_000)
            };
            self.world.time.sleep(pause).await;
            let some = dice.between(0..=self.panes.len() as u64 - 1);
            let pane = Rc::clone(&self.panes[some as usize]);
            while !self.say(&pane) {
                self.world.time.sleep(1_000).await;
            }
            if dice.one_in(4) {
                self.drive(&pane, |room, _| room.want_older());
            }
        }
    }

    /// Says something in a room. Returns false if that is not possible now: the room is not on the page, or too much is
    /// waiting already and the text stays in the composer.
    pub fn say(self: &Rc<Self>, pane: &Rc<Pane>) -> bool {
        let (name, n) = (self.person.id.as_str(), self.said.get() + 1);
        let client_id = ClientId::try_from(format!("{name}-{n}"));
        let text = MessageText::try_from(format!("{name} says {n}"));
        let (Ok(client_id), Ok(text)) = (client_id, text) else {
            return true;
        };
        let mut said = false;
        self.drive(pane, |room, now| match room.say(client_id.clone(), text, now) {
            Ok(effects) => {
                self.note(|| format!("says {client_id} in {}", pane.room));
                self.sender.borrow_mut().sent.push(client_id);
                said = true;
                effects
            }
            Err(_) => Vec::new(),
        });
        self.said.set(self.said.get() + u64::from(said));
        said
    }

    /// Presses "try again" on every failed message, now and then, forever.
    pub async fn insist(self: Rc<Self>) {
        loop {
            self.world.time.sleep(self.world.dice.between(500..=4_000)).await;
            for pane in self.panes.iter().filter(|pane| pane.is_open()) {
                for client_id in pane.failed() {
                    self.note(|| format!("tries {client_id} again"));
                    self.drive(pane, |room, now| room.retry(&client_id, now));
                }
            }
        }
    }
}
