//! The time after the trouble: everything must become quiet, and then everything must be quick. Each wait has a limit;
//! what is still wrong then has failed.

use super::{Cast, Ending};
use crate::verdict::{disquiet, wrong_rosters};

/// How long it may take until everything is in its place, in milliseconds: a slow truth, a dead connection that is not
/// noticed yet, and an acknowledgement that never comes, one after another.
const CALM: u64 = 180_000;
/// After this many more milliseconds everything in transit has arrived, and everybody who waits for it has tried again:
/// longer than the longest wait of `client::backoff` and an acknowledgement that never comes.
const AFTERWARDS: u64 = 60_000;
/// How long it may take, in milliseconds, until everybody shows a message that is sent while nothing is wrong.
const PROMPT: u64 = 2_000;
/// How long it may take after a change until every roster is right, in milliseconds.
const ROSTERS: u64 = 15_000;

impl Cast {
    /// Waits until all is quiet, lets everybody speak once more, and kills a replica. Returns what was wrong.
    pub async fn end(&self) -> Ending {
        let since = self.world.time.millis();
        let mut wrong = self.wait(CALM, || self.disquiet()).await;
        let quiet_after = self.world.time.millis() - since;
        self.world.time.sleep(AFTERWARDS).await;
        wrong.extend(self.wait(CALM, || self.disquiet()).await);
        if wrong.is_empty() {
            wrong.extend(self.wait(ROSTERS, || wrong_rosters(&self.clients)).await);
            wrong.extend(self.speak().await);
        }
        if wrong.is_empty() {
            wrong.extend(self.kill_one().await);
        }
        Ending {
            wrong,
            quiet_after,
            ..Ending::default()
        }
    }

    fn disquiet(&self) -> Vec<String> {
        disquiet(&self.truth, &self.clients)
    }

    /// Waits until nothing is wrong, or returns what is still wrong after `ms`.
    async fn wait(&self, ms: u64, wrong: impl Fn() -> Vec<String>) -> Vec<String> {
        let end = self.world.time.millis() + ms;
        loop {
            let wrong = wrong();
            if wrong.is_empty() || self.world.time.millis() >= end {
                return wrong;
            }
            self.world.time.sleep(200).await;
        }
    }

    /// Everybody says something in each of their rooms, and everybody there must see it soon.
    async fn speak(&self) -> Vec<String> {
        for client in self.clients.iter().filter(|client| client.is_there()) {
            for pane in &client.panes {
                client.say(pane);
            }
        }
        let late = self.wait(PROMPT, || self.disquiet()).await;
        late.iter().map(|why| format!("too late: {why}")).collect()
    }

    /// Kills a replica for good while one of its people closes the page. That person must be gone from all rosters, and
    /// everybody else must be there and hear everything.
    async fn kill_one(&self) -> Vec<String> {
        let leaver = &self.clients[0];
        let doomed = self.replicas.iter().find(|replica| replica.number == leaver.at());
        let Some(doomed) = doomed else {
            return vec!["nobody is connected".to_owned()];
        };
        leaver.close();
        doomed.kill();
        self.world.time.sleep(ROSTERS).await;
        let mut wrong = wrong_rosters(&self.clients);
        wrong.extend(self.disquiet());
        if wrong.is_empty() {
            wrong.extend(self.speak().await);
        }
        wrong
    }
}
