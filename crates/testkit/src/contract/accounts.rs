//! What [`chat::ports::Accounts`] promises.

use chat::ports::SessionSignal;
use futures::StreamExt;
use protocol::{Person, Timestamp};

use crate::Backend;
use crate::sample::{append, messages, new_room, person, person_with_id, session};

/// Tests the accounts of a fixture's backends against their contract.
#[macro_export]
macro_rules! accounts_contract {
    ($fixture:ident) => {
        $crate::contract_tests! { accounts, $fixture,
            a_session_belongs_to_its_person
            an_unknown_session_is_not_found
            a_session_ends_once_and_for_all
            followers_hear_of_the_end
            a_person_is_added_once
            a_session_is_never_given_to_another_person
            a_session_knows_when_it_was_used
            an_idle_session_is_forgotten
        }
    };
}

/// Later than the machine's clock, because a storage may expire sessions by its own.
const NOW: Timestamp = Timestamp(1_800_000_000_000);

async fn create(backend: &Backend, person: &Person, token: &str) {
    let created = backend.accounts.create(person, &session(token), NOW).await;
    created.expect("the person is added, or was before");
}

async fn whose(backend: &Backend, token: &str) -> Option<Person> {
    let found = backend.accounts.session(&session(token)).await;
    found
        .expect("the session is looked up")
        .map(|session| session.person)
}

/// Finds the person of a session; people with the same name stay apart.
pub async fn a_session_belongs_to_its_person(backend: &Backend) {
    let (one, two) = (person_with_id("one", "Ada 🦉"), person_with_id("two", "Ada 🦉"));
    for (who, token) in [(&one, "token-1"), (&two, "token-2")] {
        create(backend, who, token).await;
    }
    for (who, token) in [(one, "token-1"), (two, "token-2")] {
        assert_eq!(whose(backend, token).await, Some(who));
    }
}

/// Looking up a session that never existed is no error.
pub async fn an_unknown_session_is_not_found(backend: &Backend) {
    assert_eq!(whose(backend, "nobody").await, None);
}

/// An ended session belongs to no person. Ending it again, or one that never existed, does no harm.
pub async fn a_session_ends_once_and_for_all(backend: &Backend) {
    let accounts = &backend.accounts;
    let (ada, bob) = (person("Ada"), person("Bob"));
    create(backend, &ada, "token-a").await;
    create(backend, &bob, "token-b").await;
    for token in ["token-a", "token-a", "never-was"] {
        accounts.end(&session(token)).await.expect("the session ends");
    }
    assert_eq!(whose(backend, "token-a").await, None);
    assert_eq!(
        whose(backend, "token-b").await,
        Some(bob),
        "other sessions continue"
    );
    let late = accounts.prolong(&session("token-a"), NOW).await;
    late.expect("it is no error to use a session that ended");
    assert_eq!(whose(backend, "token-a").await, None, "and it stays ended");
}

/// Every follower hears of each end once.
pub async fn followers_hear_of_the_end(backend: &Backend) {
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

/// After [`chat::StoreError::Failed`] the caller does not know what was stored, so it must be safe to repeat the call.
pub async fn a_person_is_added_once(backend: &Backend) {
    let ada = person("Ada");
    for _ in 0..2 {
        create(backend, &ada, "token").await;
    }
    assert_eq!(whose(backend, "token").await, Some(ada));
}

/// A session stays with its first person, whatever a later call says.
pub async fn a_session_is_never_given_to_another_person(backend: &Backend) {
    let (ada, eve) = (person("Ada"), person("Eve"));
    create(backend, &ada, "token").await;
    let stolen = backend.accounts.create(&eve, &session("token"), NOW).await;
    assert!(stolen.is_err(), "the session is taken");
    assert_eq!(whose(backend, "token").await, Some(ada));
}

/// `used_at` is the time of creation until a later use is recorded.
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

/// Forgets neither sessions used since nor what their people wrote. A storage may also forget on its own.
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
    let stretch = backend
        .log
        .messages(&room, None, chat::Limit::HISTORY)
        .await
        .expect("the log can be read");
    assert_eq!(stretch.people, [ada], "what was written stays");
}
