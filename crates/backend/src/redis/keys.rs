//! The names of keys and channels in Redis, and their slots.

use std::sync::Arc;

use chat::SessionDigest;
use protocol::{Opaque, RoomSlug};

/// The number of slots of a cluster.
pub const SLOTS: u16 = 16_384;

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

    /// Slugs by the time of their latest activity.
    pub fn rooms(&self) -> String {
        format!("{}rooms", self.prefix)
    }

    /// Slugs by the time when a replica last reported people there.
    pub fn occupied(&self) -> String {
        format!("{}occupied", self.prefix)
    }

    /// A secret that all replicas share.
    pub fn secret(&self, name: &str) -> String {
        format!("{}secret:{name}", self.prefix)
    }

    /// A session and its person.
    pub fn session(&self, session: &SessionDigest) -> String {
        let digest: String = session
            .as_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("{}session:{digest}", self.prefix)
    }

    /// The stream of sessions that ended recently.
    pub fn ended(&self) -> String {
        format!("{}ended", self.prefix)
    }

    /// A room's channel.
    pub fn channel(&self, room: &RoomSlug) -> String {
        format!("{}{{{room}}}", self.prefix)
    }

    /// The room that a channel belongs to.
    pub fn room_of(&self, channel: &str) -> Option<RoomSlug> {
        let slug = channel.strip_prefix(&*self.prefix)?;
        let slug = slug.strip_prefix('{')?.strip_suffix('}')?;
        RoomSlug::try_from(slug.to_owned()).ok()
    }

    /// A room's title, and its log's epoch and head.
    pub fn room(&self, room: &RoomSlug) -> String {
        self.part(room, "room")
    }

    /// The keys for a log's scripts, in their order.
    pub fn log(&self, room: &RoomSlug) -> Vec<String> {
        ["room", "log", "ids"].map(|part| self.part(room, part)).into()
    }

    /// The keys for the presence scripts, in their order.
    pub fn presence(&self, room: &RoomSlug) -> Vec<String> {
        [
            "people",
            "names",
            "connections",
            "leases",
            "digests",
            "version",
            "room",
        ]
        .map(|part| self.part(room, part))
        .into()
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
        assert_eq!(slot("hubbub:{foo}:log"), 12_182);
        assert_eq!(
            slot("{}foo"),
            crc16(b"{}foo") % SLOTS,
            "an empty tag does not count"
        );
    }

    #[test]
    fn a_rooms_keys_and_channel_share_a_slot() {
        let (keys, room) = (Keys::new("hubbub:"), RoomSlug::lobby());
        let expected = slot(&keys.channel(&room));
        for key in keys.log(&room).into_iter().chain(keys.presence(&room)) {
            assert_eq!(slot(&key), expected, "{key}");
        }
        assert_eq!(keys.channel(&room), "hubbub:{lobby}");
        assert_eq!(keys.room_of("hubbub:{lobby}"), Some(room));
        assert_eq!(keys.room_of("other:{lobby}"), None);
    }
}
