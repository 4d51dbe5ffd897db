//! The minute in which everything may fail.

use std::rc::Rc;

use super::Cast;

/// How long things fail, in milliseconds.
const TROUBLE: u64 = 60_000;

impl Cast {
    /// Lets things happen to the truth, the bus, replicas, connections and pages, for as long as things fail.
    pub async fn trouble(&self) {
        let dice = &self.world.dice;
        // Emptied, it has no room but the lobby, which comes back.
        let may_empty = dice.one_in(4) && self.truth.rooms().len() == 1;
        let end = self.world.time.millis() + TROUBLE;
        loop {
            self.world.time.sleep(dice.between(200..=5_000)).await;
            if self.world.time.millis() >= end {
                return self.rush().await;
            }
            let client = &self.clients[self.any(self.clients.len())];
            match dice.between(0..=15) {
                0..=2 => client.cut(),
                3..=4 => client.reload(),
                5 => client.route_anew(),
                6..=7 => client.step_out(),
                8..=9 => self.kill_any(),
                10..=11 => self.trouble_truth(),
                12 => {
                    let ms = dice.between(500..=15_000);
                    self.world.note(|| format!("the bus is away for {ms} ms"));
                    self.bus.go_away(ms);
                }
                13 if may_empty && dice.one_in(2) => {
                    self.world.note(|| "the truth is emptied".to_owned());
                    self.truth.empty();
                }
                _ => {}
            }
        }
    }

    /// Sometimes everybody comes back at once, while the truth is not quite well, and that is the last of the trouble.
    async fn rush(&self) {
        let dice = &self.world.dice;
        if dice.one_in(3) {
            self.world.note(|| "everybody is routed anew".to_owned());
            self.truth.crash(dice.between(0..=1_500));
            for client in &self.clients {
                client.route_anew();
            }
            self.world.time.sleep(dice.between(1_000..=5_000)).await;
        }
    }

    fn any(&self, count: usize) -> usize {
        self.world.dice.between(0..=count as u64 - 1) as usize
    }

    /// Kills a replica, which comes back after a while.
    fn kill_any(&self) {
        let replica = Rc::clone(&self.replicas[self.any(self.replicas.len())]);
        if replica.is_up() {
            replica.kill();
            let back = self.world.time.sleep(self.world.dice.between(0..=8_000));
            self.world.spawn(async move {
                back.await;
                replica.start().await;
            });
        }
    }

    fn trouble_truth(&self) {
        let dice = &self.world.dice;
        if dice.one_in(3) {
            let ms = dice.between(500..=10_000);
            self.world.note(|| format!("the truth stands still for {ms} ms"));
            self.truth.stand_still(ms);
        } else {
            let ms = dice.between(100..=10_000);
            self.world
                .note(|| format!("the truth crashes, and is back in {ms} ms"));
            self.truth.crash(ms);
        }
    }
}
