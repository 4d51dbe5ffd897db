//! What [`chat::ports::Accounts`] promises.

use chat::ports::SessionSignal;
use futures::StreamExt;
use protocol::{Person, Timestamp};

use crate::Backend;
use crate::sample::{append, messages, new_room, person, person_with_id, session};

/// Holds the accounts of a fixture's backends to their contract.
#[macro_export]
macro_rules! accounts_contract {
    ($fixture:ident) => {
        $crate::contract_tests! { accounts, $fixture,
            a_session_is_its_person
            an_unknown_session_is_nobody
            a_session_ends_once_and_for_all
            whoever_follows_hears_of_the_end
            a_person_is_added_once
            a_session_is_never_given_to_another_person
            a_session_knows_when_it_was_used
            an_idle_session_is_forgotten
        }
    };
}

/// Now and then, in the machine's time: a storage may keep sessions by its own clock.
const NOW: Timestamp = Timestamp(1_800_000_000_000);

async fn create(backend: &Backend, person: &Person, token: &str) {
    let created = backend.accounts.create(person, &session(token), NOW).await;
    created.expect("a person is added, or was before");
}

async fn whose(backend: &Backend, token: &str) -> Option<Person> {
    let found = backend.accounts.session(&session(token)).await;
    found
        .expect("the session is looked up")
        .map(|session| session.person)
}

/// Who a session belongs to; people of the same name stay apart.
pub async fn a_session_is_its_person(backend: &Backend) {
    let (one, two) = (person_with_id("one", "Ada 🦉"), person_with_id("two", "Ada 🦉"));
    for (who, token) in [(&one, "token-1"), (&two, "token-2")] {
        create(backend, who, token).await;
    }
    for (who, token) in [(one, "token-1"), (two, "token-2")] {
        assert_eq!(whose(backend, token).await, Some(who));
    }
}

/// A session that never was is no error.
pub async fn an_unknown_session_is_nobody(backend: &Backend) {
    assert_eq!(whose(backend, "nobody").await, None);
}

/// After its end a session is nobody's; the end again, or of one that never was, does no harm.
pub async fn a_session_ends_once_and_for_all(backend: &Backend) {
    let accounts = &backend.accounts;
    let (ada, bob) = (person("Ada"), person("Bob"));
    create(backend, &ada, "token-a").await;
    create(backend, &bob, "token-b").await;
    for token in ["token-a", "token-a", "never-was"] {
        accounts.end(&session(token)).await.expect("the session ends");
    }
    assert_eq!(whose(backend, "token-a").await, None);
    assert_eq!(whose(backend, "token-b").await, Some(bob), "others go on");
    let late = accounts.prolong(&session("token-a"), NOW).await;
    late.expect("it is no error to use a session that ended");
    assert_eq!(whose(backend, "token-a").await, None, "and it stays ended");
}

/// All who follow, each end once.
pub async fn whoever_follows_hears_of_the_end(backend: &Backend) {
    let accounts = &backend.accounts;
    create(backend, &person("Ada"), "token-a").await;
    let mut one = accounts.ends().await.expect("it can be followed");
    let mut two = accounts.ends().await.expect("it can be followed");
    for token in ["token-a", "token-b"] {
        accounts.end(&session(token)).await.expect("the session ends");
    }
    for follower in [&mut one, &mut two] {
        for token in ["token-a", "token-b"] {
            let signal = follower.next().await;
            assert_eq!(signal, Some(SessionSignal::Ended(session(token))));
        }
    }
}

/// After [`chat::StoreError::Failed`] nobody knows what was stored: the same call again must be safe.
pub async fn a_person_is_added_once(backend: &Backend) {
    let ada = person("Ada");
    for _ in 0..2 {
        create(backend, &ada, "token").await;
    }
    assert_eq!(whose(backend, "token").await, Some(ada));
}

/// Whatever a call brings, a session stays its first person's.
pub async fn a_session_is_never_given_to_another_person(backend: &Backend) {
    let (ada, eve) = (person("Ada"), person("Eve"));
    create(backend, &ada, "token").await;
    let stolen = backend.accounts.create(&eve, &session("token"), NOW).await;
    assert!(stolen.is_err(), "the session is taken");
    assert_eq!(whose(backend, "token").await, Some(ada));
}

/// When it was created, until a later use is written down.
pub async fn a_session_knows_when_it_was_used(backend: &Backend) {
    let used_at = async || {
        let found = backend.accounts.session(&session("token")).await;
        found
            .expect("the session is looked up")
            .map(|session| session.used_at)
    };
    create(backend, &person("Ada"), "token").await;
    assert_eq!(used_at().await, Some(NOW));
    let later = Timestamp(NOW.0 + 1_000);
    for at in [later, NOW] {
        let prolonged = backend.accounts.prolong(&session("token"), at).await;
        prolonged.expect("the use is written down");
        assert_eq!(
            used_at().await,
            Some(later),
            "a clock that goes back changes nothing"
        );
    }
}

/// Not those that were used since, and not what was written. A storage may forget by itself.
pub async fn an_idle_session_is_forgotten(backend: &Backend) {
    let accounts = &backend.accounts;
    let room = new_room(backend, "room").await;
    let (ada, bob, eve) = (person("Ada"), person("Bob"), person("Eve"));
    for (who, token) in [(&ada, "token-a"), (&bob, "token-b"), (&eve, "token-e")] {
        create(backend, who, token).await;
    }
    append(&backend.log, &room, &ada, messages("a", 1)).await;
    let later = Timestamp(NOW.0 + 1_000);
    let prolonged = accounts.prolong(&session("token-e"), later).await;
    prolonged.expect("the use is written down");
    for (limit, most) in [(1, 1), (10, 1), (10, 0)] {
        let forgotten = accounts
            .forget(later, limit)
            .await
            .expect("sessions are forgotten");
        assert!(forgotten <= most, "{forgotten} of at most {most}");
    }
    assert_eq!(whose(backend, "token-e").await, Some(eve));
    let page = backend
        .log
        .read_before(&room, None, chat::Limit::HISTORY)
        .await
        .expect("the log can be read");
    assert_eq!(page.events[0].author, ada, "what was written stays");
}
