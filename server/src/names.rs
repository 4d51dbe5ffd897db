//! The host names of this server.

use std::net::IpAddr;

use crate::origins::Origin;

/// The host names that this server accepts.
///
/// DNS rebinding: another site can make its host name resolve to our address. To the browser its pages then have our
/// origin, and only the host name gives them away.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// The value of `HUBBUB_URL`.
    url: Option<Origin>,
    /// Accept any name.
    any: bool,
}

impl Names {
    /// With a public address, only that name is accepted. Without one, the server cannot know its name and accepts
    /// all, unless it listens on loopback with no proxy in front.
    pub fn new(url: Option<Origin>, listens_on: IpAddr, behind_proxy: bool) -> Self {
        let any = url.is_none() && (behind_proxy || !listens_on.is_loopback());
        Self { url, any }
    }

    /// True if the host is ours, on any port. IP addresses, `localhost` and names without a dot always are: an
    /// attacker cannot make those resolve to this server.
    pub fn know(&self, host: &Origin) -> bool {
        let name = host.host().trim_end_matches('.');
        let address = name.starts_with('[') || name.parse::<std::net::Ipv4Addr>().is_ok();
        let local = !name.contains('.') || name.ends_with(".localhost");
        self.any || address || local || self.url.as_ref().is_some_and(|url| url.host() == name)
    }

    /// The public address, if it is known.
    pub fn url(&self) -> Option<&Origin> {
        self.url.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(host: &str) -> Origin {
        Origin::of("http".to_owned(), host).unwrap()
    }

    #[test]
    fn a_server_knows_its_names() {
        let url = Origin::parse("https://chat.example.org");
        let public: IpAddr = "0.0.0.0".parse().unwrap();
        let local: IpAddr = "127.0.0.1".parse().unwrap();
        let names = [
            Names::new(None, local, false),
            Names::new(url.clone(), local, true),
            Names::new(url, public, false),
            Names::new(None, local, true),
            Names::new(None, public, false),
        ];
        for (host, known) in [
            ("127.0.0.1:3000", [true; 5]),
            ("[::1]:3000", [true; 5]),
            ("192.0.2.7", [true; 5]),
            ("localhost:3000", [true; 5]),
            ("LOCALHOST.", [true; 5]),
            ("chat.localhost", [true; 5]),
            ("hubbub:3000", [true; 5]),
            ("chat.example.org", [false, true, true, true, true]),
            ("Chat.Example.org.:8080", [false, true, true, true, true]),
            ("evil.example", [false, false, false, true, true]),
            ("localhost.evil.example", [false, false, false, true, true]),
            ("127.0.0.1.evil.example", [false, false, false, true, true]),
            ("2130706433.example", [false, false, false, true, true]),
        ] {
            assert_eq!(
                names.clone().map(|names| names.know(&named(host))),
                known,
                "{host}"
            );
        }
    }
}
