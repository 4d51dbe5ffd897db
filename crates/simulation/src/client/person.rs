//! What the person does: sends messages and replies, alone and in bursts, edits and deletes their own, reacts to any, sets
//! titles, scrolls up, and presses "try again".

use std::rc::Rc;

use client::timeline::Timeline;
use protocol::{ClientId, Deed, Emoji, Message, MessageText, Seq};

use super::{Client, Pane};

/// What people react with.
const EMOJI: [&str; 3] = ["\u{1f44d}", "\u{2764}\u{fe0f}", "\u{1f980}"];

/// Of how many of the latest messages people mostly choose the one that they react to, reply to or change.
const RECENT: usize = 6;

impl Client {
    /// Does `deeds` things, with pauses, or (if `hasty`) one right after the other.
    pub async fn talk(self: Rc<Self>, deeds: u64, hasty: bool) {
        let dice = &self.world.dice;
        for _ in 0..deeds {
            let pause = if hasty || dice.one_in(3) {
                dice.between(0..=60)
            } else {
                dice.between(0..=6_000)
            };
            self.world.time.sleep(pause).await;
            let some = dice.between(0..=self.panes.len() as u64 - 1);
            let pane = Rc::clone(&self.panes[some as usize]);
            while !self.do_something(&pane) {
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
        self.act(pane, |client_id, _, n| self.message(client_id, n, None))
    }

    /// Does anything in a room. Returns false as [`Client::say`] does.
    fn do_something(self: &Rc<Self>, pane: &Rc<Pane>) -> bool {
        let dice = &self.world.dice;
        let what = dice.between(0..=11);
        self.act(pane, |client_id, timeline, n| {
            let any = self.any_message(timeline, false);
            let mine = self.any_message(timeline, true);
            match (what, any, mine) {
                (0..=2, _, Some(of)) => Some(Deed::Edited {
                    text: self.text(&format!("edits {n}"))?,
                    client_id,
                    of,
                }),
                (3, _, Some(of)) => Some(Deed::Deleted { client_id, of }),
                (4..=5, Some(to), _) => Some(Deed::Reacted {
                    client_id,
                    to,
                    emoji: Emoji::kept(EMOJI[dice.between(0..=2) as usize].to_owned()),
                    on: !dice.one_in(3),
                }),
                (6, _, _) => Some(Deed::Titled {
                    client_id,
                    title: format!("{} titles {n}", self.person.name).try_into().ok()?,
                }),
                (7, Some(reply_to), _) => self.message(client_id, n, Some(reply_to)),
                _ => self.message(client_id, n, None),
            }
        })
    }

    fn message(&self, client_id: ClientId, n: u64, reply_to: Option<Seq>) -> Option<Deed> {
        Some(Deed::Posted {
            client_id,
            text: self.text(&format!("says {n}"))?,
            reply_to,
        })
    }

    fn text(&self, does: &str) -> Option<MessageText> {
        format!("{} {does}", self.person.name).try_into().ok()
    }

    /// A message that can still be changed: mostly one of the latest, sometimes any that is loaded.
    fn any_message(&self, timeline: &Timeline, mine: bool) -> Option<Seq> {
        let (dice, all) = (&self.world.dice, timeline.messages());
        let among = if dice.one_in(3) { all.len().max(1) } else { RECENT };
        let skipped = dice.between(0..=among as u64 - 1) as usize;
        let fits = |message: &&Message| !message.deleted && (!mine || message.by == self.person.id);
        all.iter()
            .rev()
            .filter(fits)
            .nth(skipped)
            .map(|message| message.seq)
    }

    /// Does what `choose` makes of a fresh client id, what is shown, and the number of the deed.
    fn act(
        self: &Rc<Self>,
        pane: &Rc<Pane>,
        choose: impl FnOnce(ClientId, &Timeline, u64) -> Option<Deed>,
    ) -> bool {
        let n = self.said.get() + 1;
        let Ok(client_id) = ClientId::try_from(format!("{}-{n}", self.person.id)) else {
            return true;
        };
        let mut done = false;
        self.drive(pane, |room, now| {
            let deed = choose(client_id.clone(), room.timeline(), n);
            let effects = deed.and_then(|deed| {
                self.note(|| format!("does in {}: {deed:?}", pane.room));
                let epoch = deed.names().map(|_| room.timeline().epoch().clone());
                let effects = room.act(deed, now).ok()?;
                // Not before: what does not fit into the outbox is not done, and the next deed has the same id.
                let meant = epoch.map(|epoch| (client_id.clone(), epoch));
                pane.meant.borrow_mut().extend(meant);
                Some(effects)
            });
            if effects.is_some() {
                self.sender.borrow_mut().sent.push(client_id);
                done = true;
            }
            effects.unwrap_or_default()
        });
        self.said.set(self.said.get() + u64::from(done));
        done
    }

    /// Presses "try again" on everything that failed, now and then, forever; gives up what is hopeless.
    pub async fn insist(self: Rc<Self>) {
        loop {
            self.world.time.sleep(self.world.dice.between(500..=4_000)).await;
            for pane in self.panes.iter().filter(|pane| pane.is_open()) {
                for (client_id, hopeless) in pane.failed() {
                    self.note(|| format!("{client_id} failed; hopeless: {hopeless}"));
                    self.drive(pane, |room, now| {
                        if hopeless {
                            pane.given_up.borrow_mut().insert(client_id.clone());
                            room.discard(&client_id);
                            Vec::new()
                        } else {
                            room.retry(&client_id, now)
                        }
                    });
                }
            }
        }
    }
}
