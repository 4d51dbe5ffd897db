//! The connection status to show. A loss of a few seconds is not shown. socket.io-client does the reconnecting itself.

/// A loss shorter than this is not shown, in milliseconds.
const QUIET_MS: u64 = 3_000;

/// After this long the status says that messages wait, in milliseconds.
const OFFLINE_MS: u64 = 15_000;

/// The connection status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// There has been no connection yet. Nothing is shown.
    Opening,
    /// Connected.
    Live,
    /// Disconnected for some seconds.
    Reconnecting,
    /// Disconnected for longer.
    Offline,
    /// Not connected, because the connection would belong to another person: see [`super::owner`].
    Apart,
}

impl Link {
    /// The status as text.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Opening => "",
            Self::Live => "Connected",
            Self::Reconnecting => "Reconnecting…",
            Self::Offline => "Offline. Your messages will be sent when you're back.",
            Self::Apart => "Not connected",
        }
    }

    /// The status as a CSS class.
    pub fn class(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Live => "live",
            Self::Reconnecting => "reconnecting",
            Self::Offline => "offline",
            Self::Apart => "offline apart",
        }
    }
}

/// The connection's history, as far as the status depends on it.
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

    /// The server is reachable, but the connection would belong to another person.
    pub fn apart(&mut self) {
        self.apart = true;
    }

    /// There is no connection. Repeated calls change nothing.
    pub fn lost(&mut self, now: u64) {
        self.lost_at.get_or_insert(now);
    }

    /// The status, and in how many milliseconds it may change.
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
    fn only_a_long_loss_is_shown() {
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
