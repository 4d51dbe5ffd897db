//! The names of keys and channels in Redis, and their slots.

use std::fmt;
use std::sync::Arc;

use protocol::{Opaque, RoomSlug};

/// The number of slots of a cluster.
pub const SLOTS: u16 = 16_384;

/// What a channel is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// A room: its events and its presence.
    Room(RoomSlug),
    /// What concerns all replicas.
    Replicas,
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Room(room) => room.fmt(f),
            Self::Replicas => f.write_str("all replicas"),
        }
    }
}

/// The names of keys and channels. All begin with one prefix. Those of a room have its slug as their hash tag, so they
/// are in one slot.
#[derive(Clone)]
pub struct Keys {
    prefix: Arc<str>,
}

impl Keys {
    /// Names with this prefix.
    pub fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.into(),
        }
    }

    /// A pattern that matches all keys.
    pub fn all(&self) -> String {
        format!("{}*", self.prefix)
    }

    /// The format of the keys.
    pub fn format(&self) -> String {
        format!("{}format", self.prefix)
    }

    /// A key that a replica writes to check that it can.
    pub fn check(&self, replica: &Opaque) -> String {
        format!("{}check:{}", self.prefix, replica.as_str())
    }

    /// Slugs by the time when a replica last reported people there.
    pub fn occupied(&self) -> String {
        format!("{}occupied", self.prefix)
    }

    /// The list of rooms that a Hubbub wrote which kept its log in Redis.
    pub fn old_rooms(&self) -> String {
        format!("{}rooms", self.prefix)
    }

    /// A topic's channel.
    pub fn channel(&self, topic: &Topic) -> String {
        match topic {
            Topic::Room(room) => format!("{}{{{room}}}", self.prefix),
            Topic::Replicas => format!("{}replicas", self.prefix),
        }
    }

    /// The topic that a channel belongs to.
    pub fn topic(&self, channel: &str) -> Option<Topic> {
        let name = channel.strip_prefix(&*self.prefix)?;
        if name == "replicas" {
            return Some(Topic::Replicas);
        }
        let slug = name.strip_prefix('{')?.strip_suffix('}')?;
        RoomSlug::try_from(slug.to_owned()).ok().map(Topic::Room)
    }

    /// The keys for the presence scripts, in their order.
    pub fn presence(&self, room: &RoomSlug) -> Vec<String> {
        ["people", "names", "connections", "leases", "digests", "version"]
            .map(|part| self.part(room, part))
            .into()
    }

    /// The keys of rooms for the script that counts.
    pub fn counts(&self, rooms: &[RoomSlug]) -> Vec<String> {
        let keys = |room| ["people", "leases"].map(|part| self.part(room, part));
        rooms.iter().flat_map(keys).collect()
    }

    fn part(&self, room: &RoomSlug, part: &str) -> String {
        format!("{}{{{room}}}:{part}", self.prefix)
    }
}

/// The slot of a key or channel, computed from its hash tag if it has one.
pub fn slot(key: &str) -> u16 {
    let tag = key.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
    let hashed = match tag {
        Some((tag, _)) if !tag.is_empty() => tag,
        _ => key,
    };
    crc16(hashed.as_bytes()) % SLOTS
}

/// CRC-16/XMODEM, as in the cluster specification.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            let shifted = crc << 1;
            if crc & 0x8000 == 0 {
                shifted
            } else {
                shifted ^ 0x1021
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        assert_eq!(slot("foo"), 12_182);
        assert_eq!(slot("hubbub:{foo}:people"), 12_182);
        assert_eq!(
            slot("{}foo"),
            crc16(b"{}foo") % SLOTS,
            "an empty tag does not count"
        );
    }

    #[test]
    fn a_rooms_keys_and_channel_share_a_slot() {
        let (keys, room) = (Keys::new("hubbub:"), RoomSlug::lobby());
        let channel = keys.channel(&Topic::Room(room.clone()));
        for key in keys.presence(&room) {
            assert_eq!(slot(&key), slot(&channel), "{key}");
        }
    }

    #[test]
    fn channels_name_their_topics() {
        let keys = Keys::new("hubbub:");
        for (topic, channel) in [
            (Topic::Room(RoomSlug::lobby()), "hubbub:{lobby}"),
            (Topic::Replicas, "hubbub:replicas"),
        ] {
            assert_eq!(keys.channel(&topic), channel);
            assert_eq!(keys.topic(channel), Some(topic));
        }
        for channel in ["other:{lobby}", "hubbub:lobby", "hubbub:{Not a room}"] {
            assert_eq!(keys.topic(channel), None, "{channel}");
        }
    }
}
