//! What [`chat::ports::Accounts`] promises.

use protocol::Timestamp;

use crate::Backend;
use crate::sample::{person, person_with_id, session};

/// Holds the accounts of a fixture's backends to their contract.
#[macro_export]
macro_rules! accounts_contract {
    ($fixture:ident) => {
        $crate::contract_tests! { accounts, $fixture,
            a_session_is_its_person
            an_unknown_session_is_nobody
            a_session_ends_once_and_for_all
            a_person_is_added_once
            a_session_is_never_given_to_another_person
        }
    };
}

/// Who a session belongs to; people of the same name stay apart.
pub async fn a_session_is_its_person(backend: &Backend) {
    let (one, two) = (person_with_id("one", "Ada 🦉"), person_with_id("two", "Ada 🦉"));
    let accounts = &backend.accounts;
    for (who, token) in [(&one, "token-1"), (&two, "token-2")] {
        let created = accounts.create(who, &session(token), Timestamp(1)).await;
        created.expect("a person is added");
    }
    for (who, token) in [(one, "token-1"), (two, "token-2")] {
        let found = accounts.person(&session(token)).await;
        assert_eq!(found.expect("the session is looked up"), Some(who));
    }
}

/// A session that never was is no error.
pub async fn an_unknown_session_is_nobody(backend: &Backend) {
    let found = backend.accounts.person(&session("nobody")).await;
    assert_eq!(found.expect("the session is looked up"), None);
}

/// After its end a session is nobody's; the end again, or of one that never was, does nothing.
pub async fn a_session_ends_once_and_for_all(backend: &Backend) {
    let accounts = &backend.accounts;
    let (ada, bob) = (person("Ada"), person("Bob"));
    for (who, token) in [(&ada, "token-a"), (&bob, "token-b")] {
        let created = accounts.create(who, &session(token), Timestamp(1)).await;
        created.expect("a person is added");
    }
    for token in ["token-a", "token-a", "never-was"] {
        accounts.end(&session(token)).await.expect("the session ends");
    }
    let found = accounts.person(&session("token-a")).await;
    assert_eq!(found.expect("the session is looked up"), None);
    let found = accounts.person(&session("token-b")).await;
    assert_eq!(
        found.expect("the session is looked up"),
        Some(bob),
        "others go on"
    );
}

/// After [`chat::StoreError::Failed`] nobody knows what was stored: the same call again must be safe.
pub async fn a_person_is_added_once(backend: &Backend) {
    let ada = person("Ada");
    for _ in 0..2 {
        let created = backend
            .accounts
            .create(&ada, &session("token"), Timestamp(1))
            .await;
        created.expect("a person is added, or was before");
    }
    let found = backend.accounts.person(&session("token")).await;
    assert_eq!(found.expect("the session is looked up"), Some(ada));
}

/// Whatever a call brings, a session stays its first person's.
pub async fn a_session_is_never_given_to_another_person(backend: &Backend) {
    let (ada, eve) = (person("Ada"), person("Eve"));
    let created = backend
        .accounts
        .create(&ada, &session("token"), Timestamp(1))
        .await;
    created.expect("a person is added");
    let stolen = backend
        .accounts
        .create(&eve, &session("token"), Timestamp(2))
        .await;
    assert!(stolen.is_err(), "the token is taken");
    let found = backend.accounts.person(&session("token")).await;
    assert_eq!(found.expect("the session is looked up"), Some(ada));
}
