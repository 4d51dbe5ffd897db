//! What the person does: sends messages, alone and in bursts, scrolls up, and presses "try again".

use std::rc::Rc;

use client::outbox::SendState;
use protocol::{ClientId, MessageText};

use super::Client;

impl Client {
    /// Sends `messages` messages, with pauses, or (if `hasty`) one right after the other.
    pub async fn talk(self: Rc<Self>, messages: u64, hasty: bool) {
        let dice = &self.world.dice;
        for n in 1..=messages {
            let pause = if hasty || dice.one_in(3) {
                dice.between(0..=60)
            } else {
                dice.between(0..=9_000)
            };
            self.world.time.sleep(pause).await;
            while self.room.borrow().is_none() {
                self.world.time.sleep(500).await;
            }
            while !self.say(n) {
                self.world.time.sleep(1_000).await;
            }
            if dice.one_in(4) {
                self.drive(|room, _| room.want_older());
            }
        }
    }

    /// Returns false if too much is waiting already and the text stays in the composer.
    fn say(self: &Rc<Self>, n: u64) -> bool {
        let name = self.person.id.as_str();
        let client_id = ClientId::try_from(format!("{name}-{n}"));
        let text = MessageText::try_from(format!("{name} says {n}"));
        let (Ok(client_id), Ok(text)) = (client_id, text) else {
            return true;
        };
        let mut said = false;
        self.drive(|room, now| match room.say(client_id.clone(), text, now) {
            Ok(effects) => {
                self.note(|| format!("says {client_id}"));
                self.sender.borrow_mut().sent.push(client_id);
                said = true;
                effects
            }
            Err(_) => Vec::new(),
        });
        said
    }

    /// Presses "try again" on every failed message, now and then, forever.
    pub async fn insist(self: Rc<Self>) {
        loop {
            self.world.time.sleep(self.world.dice.between(500..=4_000)).await;
            let outbox = self.room.borrow().clone().map(|room| room.into_outbox());
            let failed = outbox
                .iter()
                .flat_map(|outbox| outbox.items())
                .filter_map(|item| {
                    let failed = matches!(item.state, SendState::Failed(_));
                    failed.then(|| item.client_id.clone())
                });
            for client_id in failed {
                self.note(|| format!("tries {client_id} again"));
                self.sender.borrow_mut().again.insert(client_id.clone());
                self.drive(|room, now| room.retry(&client_id, now));
            }
        }
    }
}
