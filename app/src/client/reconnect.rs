//! What to say about the connection, and when: nothing for the first seconds, then the truth.
//! Reconnecting itself is socket.io-client's work.

/// A loss that is over sooner than this is nobody's business.
const QUIET_MS: u64 = 3_000;

/// After this long people should know that what they write waits.
const OFFLINE_MS: u64 = 15_000;

/// What people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// There has been no connection yet, and there need not be one.
    Opening,
    /// Everything flows.
    Live,
    /// Gone for some seconds.
    Reconnecting,
    /// Gone for longer.
    Offline,
    /// There could be one, but it would not be this page's: see [`super::owner`].
    Apart,
}

impl Link {
    /// For people.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Opening => "",
            Self::Live => "Connected",
            Self::Reconnecting => "Reconnecting…",
            Self::Offline => "Offline. Your messages will be sent when you're back.",
            Self::Apart => "Not connected",
        }
    }

    /// For the style sheet.
    pub fn class(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Live => "live",
            Self::Reconnecting => "reconnecting",
            Self::Offline | Self::Apart => "offline",
        }
    }
}

/// When the connection came and went.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reconnect {
    been_live: bool,
    lost_at: Option<u64>,
    apart: bool,
}

impl Reconnect {
    /// There is a connection.
    pub fn connected(&mut self) {
        self.been_live = true;
        self.lost_at = None;
        self.apart = false;
    }

    /// The server is there, but the connection would be another person's.
    pub fn apart(&mut self) {
        self.apart = true;
    }

    /// There is none (any more). Said again, it changes nothing.
    pub fn lost(&mut self, now: u64) {
        self.lost_at.get_or_insert(now);
    }

    /// What to say, and in how many milliseconds that may change.
    pub fn state(&self, now: u64) -> (Link, Option<u64>) {
        if self.apart {
            return (Link::Apart, None);
        }
        let Some(lost_at) = self.lost_at else {
            return (if self.been_live { Link::Live } else { Link::Opening }, None);
        };
        match now.saturating_sub(lost_at) {
            gone if gone < QUIET_MS => {
                let quiet = if self.been_live { Link::Live } else { Link::Opening };
                (quiet, Some(QUIET_MS - gone))
            }
            gone if gone < OFFLINE_MS => (Link::Reconnecting, Some(OFFLINE_MS - gone)),
            _ => (Link::Offline, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_loss_is_quiet_and_a_long_one_is_not() {
        let mut reconnect = Reconnect::default();
        assert_eq!(reconnect.state(0), (Link::Opening, None));
        reconnect.lost(0);
        assert_eq!(reconnect.state(100), (Link::Opening, Some(2_900)));
        assert_eq!(reconnect.state(3_000), (Link::Reconnecting, Some(12_000)));
        reconnect.connected();
        assert_eq!(reconnect.state(4_000), (Link::Live, None));
        reconnect.lost(5_000);
        reconnect.lost(7_000);
        assert_eq!(reconnect.state(7_999), (Link::Live, Some(1)));
        assert_eq!(reconnect.state(8_000), (Link::Reconnecting, Some(12_000)));
        assert_eq!(reconnect.state(20_000), (Link::Offline, None));
    }
}
