//! What a connection stores stays in the order of its commands, even if one is refused for a rate.

use std::time::{Duration, Instant};

use chat::ports::{Cost, Rates};

use super::{Client, server};
use crate::proxies::ClientAddress;

/// What an address stores at once without owing anything, and a little more.
const A_LITTLE_TOO_MUCH: usize = 20 * 1024 * 1024 + 4 * 1024;
/// A refused command waits at least this long.
const WAIT: Duration = Duration::from_millis(200);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_an_edit_that_must_wait_nothing_is_stored() {
    let talk = async || {
        let (address, state, _folder) = server().await;
        let home = ClientAddress::of([127, 0, 0, 1].into());
        let talk = move || {
            let mut client = Client::connect(address, "/chat,");
            client.say(r#"42/chat,1["sign_in",{"name":"Ada"}]"#);
            client.hear("43/chat,1[");
            state.gate.take(home, Cost::Stored(A_LITTLE_TOO_MUCH)).unwrap();
            let began = Instant::now();
            client.say(r#"42/chat,2["edit",{"room":"lobby","client_id":"a","of":1,"text":"new"}]"#);
            let first = client.hear("43/chat,2[");
            while state.gate.take(home, Cost::Stored(0)).is_err() {
                std::thread::sleep(Duration::from_millis(1));
            }
            client.say(r#"42/chat,3["delete",{"room":"lobby","client_id":"b","of":1}]"#);
            let second = client.hear("43/chat,3[");
            client.say(r#"42/chat,4["send",{"room":"lobby","messages":[{"client_id":"c","text":"hi"}]}]"#);
            let third = client.hear("43/chat,4[");
            (began.elapsed() < WAIT).then_some([first, second, third])
        };
        tokio::task::spawn_blocking(talk).await.unwrap()
    };
    // On a busy machine the wait may be over too soon.
    for _ in 0..20 {
        let Some(answers) = talk().await else { continue };
        if !answers[0].contains("rate_limited") {
            continue;
        }
        for answer in answers {
            assert!(answer.contains("rate_limited"), "{answer}");
        }
        return;
    }
    panic!("the machine is too busy for this test");
}
