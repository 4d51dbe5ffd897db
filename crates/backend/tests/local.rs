//! What one process tells itself.

use std::sync::Arc;

use backend::{Bus, Local};
use chat::ports::{Presence, PresenceChange, Signal};
use futures::StreamExt;
use protocol::RoomSlug;
use testkit::sample::{entry, person};
use testkit::within;

#[tokio::test]
async fn a_slow_follower_of_presence_is_told_to_read_the_roster() {
    within(async {
        let (local, lobby) = (Local::default(), RoomSlug::lobby());
        let mut changes = Presence::follow(&local, &lobby).await.unwrap();
        for n in 0..1_000 {
            local.typing(&lobby, &person("Ada"), n % 2 == 0).await.unwrap();
        }
        let mut kept = 0;
        while let Some(PresenceChange::Typing(..)) = changes.next().await {
            kept += 1;
        }
        // `Unsure` ended the loop. Changes after it are new.
        assert!((1..1_000).contains(&kept));
        let bob = person("Bob");
        local.typing(&lobby, &bob, true).await.unwrap();
        assert_eq!(changes.next().await, Some(PresenceChange::Typing(bob, true)));
    })
    .await;
}

#[tokio::test]
async fn closing_ends_the_streams() {
    within(async {
        let (local, lobby) = (Local::default(), RoomSlug::lobby());
        let mut signals = Bus::follow(&local, &lobby).await.unwrap();
        let mut changes = Presence::follow(&local, &lobby).await.unwrap();
        let mut ends = local.ends().await.unwrap();
        local.committed(&lobby, &[Arc::new(entry(1))]);
        local.close();
        assert!(matches!(signals.next().await, Some(Signal::Event(_))));
        assert!(signals.next().await.is_none());
        assert!(changes.next().await.is_none());
        assert!(ends.next().await.is_none());
    })
    .await;
}
