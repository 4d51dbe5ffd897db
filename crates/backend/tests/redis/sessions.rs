//! Sessions that end on one replica end on all.

use std::time::Duration;

use chat::ports::{Accounts, SessionSignal};
use protocol::Timestamp;
use testkit::sample::{person, session};
use testkit::{Proxy, RedisServer, until, within};

use crate::support::{Replica, Truth, next};

/// The time within which every replica must know that a session has ended.
const SOON: Duration = Duration::from_secs(1);

async fn sign_in_and_out(replica: &Replica, token: &str) {
    let digest = session(token);
    Accounts::create(replica, &person("Ada"), &digest, Timestamp(1))
        .await
        .expect("the session begins");
    replica.end(&digest).await.expect("the session ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_is_known_everywhere_within_a_second() {
    within(async {
        let server = RedisServer::start();
        let truth = Truth::start().await;
        let (one, two) = truth.two_replicas(&server.url()).await;
        let (mut here, mut there) = (one.ends().await.unwrap(), two.ends().await.unwrap());
        for token in ["first", "second"] {
            sign_in_and_out(&one, token).await;
            let ended = SessionSignal::Ended(session(token));
            assert_eq!(next(&mut here, SOON).await, ended);
            assert_eq!(next(&mut there, SOON).await, ended);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_ended_unheard_is_looked_up() {
    within(async {
        let server = RedisServer::start();
        let proxy = Proxy::before(&server.address()).await;
        let truth = Truth::start().await;
        let one = truth.replica(&format!("redis://{}", proxy.address())).await;
        let two = truth.replica(&server.url()).await;
        let (mut here, mut there) = (one.ends().await.unwrap(), two.ends().await.unwrap());
        proxy.cut();
        let cut_off = async || one.check().await.is_err();
        until("the replica is cut off", SOON * 3, cut_off).await;
        sign_in_and_out(&one, "meanwhile").await;
        assert_eq!(
            next(&mut here, SOON).await,
            SessionSignal::Ended(session("meanwhile"))
        );
        proxy.pass();
        // It may have missed an end, and the other one may not have been told.
        assert_eq!(next(&mut here, SOON * 3).await, SessionSignal::Unsure);
        let heard = next(&mut there, SOON * 3).await;
        let ended = SessionSignal::Ended(session("meanwhile"));
        assert!(heard == SessionSignal::Unsure || heard == ended, "{heard:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_message_makes_replicas_look() {
    within(async {
        let server = RedisServer::start();
        let one = Truth::start().await.replica(&server.url()).await;
        let mut ends = one.ends().await.unwrap();
        for message in [
            "",
            "2 ended newer\nthis one",
            "1 ended newer\nthis one",
            "1 news newer",
        ] {
            assert_eq!(server.cli(&["spublish", "hubbub:replicas", message]), "1");
            assert_eq!(next(&mut ends, SOON).await, SessionSignal::Unsure, "{message}");
        }
    })
    .await;
}
