//! Entering through `/` while the storage fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use async_trait::async_trait;
use chat::ports::{Presence, PresenceChange};
use chat::{ConnectionId, StoreError};
use futures::stream::BoxStream;
use protocol::{Person, PersonId, PresenceList, RoomSlug};

use super::{Client, server_on};

/// Presence whose roster fails until `left` reaches zero.
struct Failing {
    presence: Arc<dyn Presence>,
    left: AtomicI32,
    why: fn(&'static str) -> StoreError,
}

#[async_trait]
impl Presence for Failing {
    async fn roster(&self, room: &RoomSlug, limit: u32) -> Result<PresenceList, StoreError> {
        if self.left.fetch_sub(1, Ordering::Relaxed) > 0 {
            return Err((self.why)("on purpose"));
        }
        self.presence.roster(room, limit).await
    }

    async fn enter(&self, room: &RoomSlug, you: &Person, at: &ConnectionId) -> Result<(), StoreError> {
        self.presence.enter(room, you, at).await
    }

    async fn leave(&self, room: &RoomSlug, you: &PersonId, at: &ConnectionId) -> Result<(), StoreError> {
        self.presence.leave(room, you, at).await
    }

    async fn counts(&self, rooms: &[RoomSlug]) -> Result<Vec<u32>, StoreError> {
        self.presence.counts(rooms).await
    }

    async fn occupied(&self, limit: u32) -> Result<Vec<RoomSlug>, StoreError> {
        self.presence.occupied(limit).await
    }

    async fn typing(&self, room: &RoomSlug, person: &Person, typing: bool) -> Result<(), StoreError> {
        self.presence.typing(room, person, typing).await
    }

    async fn follow(&self, room: &RoomSlug) -> Result<BoxStream<'static, PresenceChange>, StoreError> {
        self.presence.follow(room).await
    }
}

/// Starts a server whose roster fails this many times, and runs a client against it.
async fn with_failing_roster(
    times: i32,
    why: fn(&'static str) -> StoreError,
    talk: fn(&mut Client),
) -> Result<(), tokio::task::JoinError> {
    let (address, _state, _folder) = server_on(|mut ports| {
        let (presence, left) = (Arc::clone(&ports.presence), AtomicI32::new(times));
        ports.presence = Arc::new(Failing { presence, left, why });
        ports
    })
    .await;
    tokio::task::spawn_blocking(move || talk(&mut Client::connect(address, ""))).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_enters_once_the_storage_is_back() {
    let talk = |client: &mut Client| {
        client.say(r#"42["add user","Ada"]"#);
        assert_eq!(client.hear("42"), r#"42["login",{"numUsers":1}]"#);
    };
    with_failing_roster(2, StoreError::failed, talk).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_who_could_not_enter_may_retry() {
    let talk = |client: &mut Client| {
        client.say(r#"42["add user","Ada"]"#);
        let refused = client.hear("42");
        assert!(refused.starts_with(r#"42["refused",{"#), "{refused}");
        client.say(r#"42["add user","Ada"]"#);
        assert_eq!(client.hear("42"), r#"42["login",{"numUsers":1}]"#);
    };
    with_failing_roster(1, StoreError::damaged, talk).await.unwrap();
}
